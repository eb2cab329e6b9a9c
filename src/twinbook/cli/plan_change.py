"""`plan --against` and `plan --set`: what a change of settings would do."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from twinbook.cli.context import choose_connection, load_settings, open_store, print_json
from twinbook.cli.exits import Exit, Problem
from twinbook.cli.terminal import console, say, visible
from twinbook.composition import configure_logging, connect
from twinbook.domain.why import sentence_of
from twinbook.engine.clock import SystemClock
from twinbook.engine.insight.settings_change import Changed, changes
from twinbook.settings import ConnectionSettings, load
from twinbook.settings.environment import variable_for

SHOWN = 50


async def show_change(
    ctx: click.Context, against: Path | None, assigned: Sequence[str], *, everything: bool, as_json: bool
) -> None:
    """Compare what stands with what the changed settings would come to. The store is that of the present settings."""
    current = load_settings(ctx)
    name, _ = choose_connection(ctx, current)
    changed = _changed_settings(ctx, name, against, assigned)
    configure_logging(current.log)
    counts: Counter[tuple[str, str]] = Counter()
    kept: list[Changed] = []
    with open_store(ctx, current) as store:
        async with connect(changed, store, SystemClock()) as connection:
            async for item in changes(connection):
                counts[item.before, item.after] += 1
                if everything or as_json or len(kept) < SHOWN:
                    kept.append(item)
    if as_json:
        print_json({"counts": _counted(counts), "contacts": [_row(item) for item in kept]})
    else:
        _print(counts, kept)


def _changed_settings(
    ctx: click.Context, name: str, against: Path | None, assigned: Sequence[str]
) -> ConnectionSettings:
    """The connection's settings from another file, or with single ones replaced. Raises `SettingsError`."""
    environ = dict(os.environ)
    for text in assigned:
        key, separator, value = text.partition("=")
        if not separator or "." not in key:
            raise Problem(
                f"--set {text}: write it as table.key=value, such as contacts.create=false.", Exit.USAGE
            )
        environ[variable_for(("connections", name, *key.strip().split(".")))] = value.strip()
    path: Path = against or ctx.find_root().obj["config"]
    connections = load(path, environ).connections
    if name not in connections:
        raise Problem(f"{path} names no connection {name!r}.", Exit.USAGE)
    return connections[name]


def _counted(counts: Counter[tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        {"from": before, "to": after, "number": number} for (before, after), number in counts.most_common()
    ]


def _row(found: Changed) -> dict[str, Any]:
    item = found.item
    return {
        "key": item.key,
        "name": item.name,
        "email": item.email,
        "from": found.before,
        "to": found.after,
        "why": sentence_of(item.plan),
    }


def _print(counts: Counter[tuple[str, str]], kept: Sequence[Changed]) -> None:
    from rich.table import Table

    if not counts:
        say("No contact would come to anything else. Nothing was written.")
        return
    table = Table("number", "stands", "would be")
    for (before, after), number in counts.most_common():
        table.add_row(str(number), before, after)
    console().print(table)
    for found in kept:
        item = found.item
        say(
            visible(
                f"{item.key.id:<18}  {found.before} → {found.after}  {item.name}  {sentence_of(item.plan)}"
            )
        )
    if counts.total() > len(kept):
        say(f"… {counts.total()} in all; --list or --json lists them.")
    say("Nothing was written.")
