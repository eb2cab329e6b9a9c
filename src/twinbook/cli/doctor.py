"""`doctor`: is everything in place?"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import click

from twinbook.cli.context import choose_connection, json_option, load_settings, print_json
from twinbook.cli.exits import Exit
from twinbook.cli.terminal import say
from twinbook.doctor import Check, Verdict, examine
from twinbook.settings import ConnectionSettings

MARKS = {Verdict.OK: ("✓", "green"), Verdict.ADVICE: ("!", "yellow"), Verdict.BROKEN: ("✗", "red")}


@click.command()
@json_option
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Check both logins, permissions, fields, change events, clock and limits, and say what to do.

    Writes nothing. Exit code 1 when something is broken; advice alone is 0.
    """
    _, settings = choose_connection(ctx, load_settings(ctx))
    found = asyncio.run(_examine(settings, quiet=as_json))
    if as_json:
        print_json(found)
    if any(check.verdict is Verdict.BROKEN for check in found):
        ctx.exit(int(Exit.FOUND))


async def _examine(settings: ConnectionSettings, *, quiet: bool) -> list[Check]:
    found = []
    async for check in examine(settings, now=datetime.now(UTC)):
        found.append(check)
        if not quiet:
            _print(check)
    return found


def _print(check: Check) -> None:
    mark, colour = MARKS[check.verdict]
    say(f"{mark} {check.name:<44}", fg=colour, nl=False)
    say(check.detail)
    if check.verdict is not Verdict.OK and check.remedy:
        say(f"    {check.remedy}")
