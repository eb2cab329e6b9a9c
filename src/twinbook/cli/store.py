"""`store copy`: move the store from its SQLite file to a PostgreSQL database, or back."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import click

from twinbook.cli.context import json_option, load_settings, open_database, print_json
from twinbook.cli.exits import Exit, Problem
from twinbook.cli.terminal import say
from twinbook.settings.table import DatabaseUrl
from twinbook.store.copying import Copied, NotEmptyError, NotTheSameError, copy
from twinbook.store.database import Database, Role


@click.group()
def store() -> None:
    """Move the store."""


@store.command("copy")
@click.option("--to-url", envvar="TWINBOOK_COPY_TO_URL", help="A PostgreSQL database, as in store.url.")
@click.option("--to-path", type=click.Path(path_type=Path, dir_okay=False), help="An SQLite file.")
@json_option
@click.pass_context
def copy_store(ctx: click.Context, to_url: str | None, to_path: Path | None, as_json: bool) -> None:
    """Copy all that the store holds into another one, which must be empty, and compare the two row by row.

    Stop Twinbook first. Then change store.path or store.url to the new one and start it again. The old store is left
    as it is. A password in the URL is better given as TWINBOOK_COPY_TO_URL than on the command line.
    """
    if (to_url is None) == (to_path is None):
        raise Problem("Say where to: either --to-url or --to-path.", Exit.USAGE)
    with ExitStack() as stack:
        source = open_database(load_settings(ctx), Role.OWNER)
        stack.callback(source.close)
        target = _open_target(to_url, to_path)
        stack.callback(target.close)
        try:
            copied = copy(source, target, told=lambda item: None if as_json else _tell(item))
        except NotEmptyError as error:
            raise Problem(f"Nothing was copied: {error}. Name an empty one.", Exit.USAGE) from error
        except NotTheSameError as error:
            raise Problem(
                f"Nothing was copied: {error}. Report this as a defect of Twinbook.", Exit.SYSTEM
            ) from error
    if as_json:
        print_json({"copied": copied})
    else:
        say(f"{sum(item.rows for item in copied)} rows were copied, and are the same in both stores.")


def _open_target(url: str | None, path: Path | None) -> Database:
    if path is not None:
        return Database.open_file(path, Role.OWNER)
    from pydantic import TypeAdapter, ValidationError
    from sqlalchemy import make_url

    try:
        checked = TypeAdapter(DatabaseUrl).validate_python(url)
    except ValidationError as error:
        raise Problem(f"--to-url {error.errors()[0]['msg']}.", Exit.USAGE) from None
    return Database.open_url(make_url(checked.get_secret_value()), Role.OWNER)


def _tell(item: Copied) -> None:
    say(f"{item.rows:>9}  {item.table}")
