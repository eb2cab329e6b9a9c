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
from twinbook.composition import connect
from twinbook.domain.reasons import OutcomeKind
from twinbook.domain.why import sentence_of
from twinbook.engine.clock import SystemClock
from twinbook.engine.insight.impact import Compared, Plan, compare_contacts
from twinbook.logs import configure_logging
from twinbook.settings import ConnectionSettings, load
from twinbook.settings.environment import variable_for

SHOWN = 50
IN_STEP = "in step"


async def show_change(
    ctx: click.Context, against: Path | None, assigned: Sequence[str], *, everything: bool, as_json: bool
) -> None:
    """Compare what the present settings come to with what the changed ones would. The store is that of the present."""
    current = load_settings(ctx)
    name, present = choose_connection(ctx, current)
    changed = _changed_settings(ctx, name, against, assigned)
    configure_logging(current.log)
    counts: Counter[tuple[str, str]] = Counter()
    kept: list[Compared] = []
    with open_store(ctx, current) as store:
        async with (
            connect(present, store, SystemClock()) as before,
            connect(changed, store, SystemClock()) as after,
        ):
            async for item in compare_contacts(before, after):
                if not item.outcome_differs:
                    continue
                counts[_named(item.before), _named(item.after)] += 1
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


def _row(found: Compared) -> dict[str, Any]:
    return {
        "key": found.key,
        "name": found.name,
        "email": found.email,
        "from": _named(found.before),
        "to": _named(found.after),
        "why": sentence_of(found.after),
    }


def _named(plan: Plan) -> str:
    if plan.outcome is OutcomeKind.UNCHANGED:
        return IN_STEP
    return f"{plan.outcome.value} {plan.reason.value}" if plan.reason else plan.outcome.value


def _print(counts: Counter[tuple[str, str]], kept: Sequence[Compared]) -> None:
    from rich.table import Table

    if not counts:
        say("No contact would come to anything else. Nothing was written.")
        return
    table = Table("number", "stands", "would be")
    for (before, after), number in counts.most_common():
        table.add_row(str(number), before, after)
    console().print(table)
    for found in kept:
        moved = f"{_named(found.before)} → {_named(found.after)}"
        say(visible(f"{found.key.id:<18}  {moved}  {found.name}  {sentence_of(found.after)}"))
    if counts.total() > len(kept):
        say(f"… {counts.total()} in all; --list or --json lists them.")
    say("Nothing was written.")
