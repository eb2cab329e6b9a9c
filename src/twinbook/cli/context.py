"""What commands share: finding the settings, opening the store, answering as text or JSON."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import click
from sqlalchemy import make_url

from twinbook.cli.exits import Exit, Problem
from twinbook.install.beginning import unfinished
from twinbook.settings import ConnectionSettings, Settings, SettingsError, load
from twinbook.settings.in_force import InForce
from twinbook.settings.revising import Origin
from twinbook.store.database import Database, Role, Store

json_option = click.option("--json", "as_json", is_flag=True, help="Answer as JSON, for programs.")


def load_settings(ctx: click.Context) -> Settings:
    """The settings file of this call. Raises `SettingsError` with all its problems."""
    path: Path = ctx.find_root().obj["config"]
    if not path.exists():
        raise Problem(
            f"There is no settings file {path}. Make one with `twinbook init`, or name yours with --config.",
            Exit.USAGE,
        )
    return load(path, os.environ)


def begin_settings(ctx: click.Context) -> InForce:
    """The settings to run with. Where nothing but the logins is missing yet, the dashboard can be served all the same:
    then with stand-ins, and unfinished. Raises as `load_settings` does for everything else."""
    origin = settings_origin(ctx)
    try:
        return InForce(load_settings(ctx), origin)
    except (SettingsError, Problem):
        begun = unfinished(origin, ctx.find_root().obj["connection"])
        if begun is None or not begun.web.enabled:
            raise
        return InForce(begun, origin, finished=False)


def settings_origin(ctx: click.Context) -> Origin:
    """Where the settings of this call come from."""
    return Origin(ctx.find_root().obj["config"], os.environ)


def choose_connection(ctx: click.Context, settings: Settings) -> tuple[str, ConnectionSettings]:
    """The connection this call is about: the one named, or the only one."""
    name: str | None = ctx.find_root().obj["connection"]
    names = list(settings.connections)
    if name is None and len(names) == 1:
        name = names[0]
    if name is None or name not in settings.connections:
        known = ", ".join(names)
        raise Problem(f"Name one of the connections with --connection: {known}.", Exit.USAGE)
    return name, settings.connections[name]


def open_database(settings: Settings, role: Role) -> Database:
    """The store that the settings name. Raises `StoreBusyError` while others work on it in another way."""
    url = settings.store.url
    if url is None:
        return Database.open_file(settings.store.path, role)
    return Database.open_url(make_url(url.get_secret_value()), role)


@contextmanager
def open_store(ctx: click.Context, settings: Settings, *, owner: bool = False) -> Iterator[Store]:
    """The chosen connection's store. As owner it is this process alone that works on it."""
    name, _ = choose_connection(ctx, settings)
    database = open_database(settings, Role.OWNER if owner else Role.GUEST)
    try:
        yield Store(database, name)
    finally:
        database.close()


def person() -> str:
    """Who is at the keyboard, for the journal."""
    return os.environ.get("USER") or os.environ.get("LOGNAME") or "somebody"


def print_json(value: Any) -> None:
    import orjson

    text = orjson.dumps(plain(value), option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS)
    click.echo(text.decode())


def plain(value: Any) -> Any:
    """Dataclasses, enums and sets as what JSON knows."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, dict):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def when(at: float | None) -> str:
    """A time as people read it, in the machine's zone."""
    from datetime import datetime

    if at is None:
        return "never"
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
