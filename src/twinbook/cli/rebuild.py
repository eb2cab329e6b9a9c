"""`rebuild`: the link table from the ids in both systems."""

from __future__ import annotations

import asyncio

import click

from twinbook.cli.context import json_option, load_settings, person, print_json
from twinbook.cli.exits import Exit
from twinbook.cli.findings import FindingList
from twinbook.cli.session import session
from twinbook.cli.terminal import say
from twinbook.engine.care.rebuild import Rebuild


@click.command()
@click.option(
    "--write", is_flag=True, help="Store the links that are missing; without it they are only shown."
)
@json_option
@click.pass_context
def rebuild(ctx: click.Context, write: bool, as_json: bool) -> None:
    """Compare the ids that records bear in both systems with the link table, and with --write complete it.

    Only contacts that name each other are linked; accounts as the id on the Salesforce account says. What is one-sided
    or contradictory is listed. Neither system is written to. Exit code 1 when there are contradictions.
    """
    found, restored = asyncio.run(_rebuild(ctx, write=write))
    if as_json:
        print_json(found.as_json() | {"restored": restored})
    else:
        found.show()
        done = (
            f"{restored} links were stored."
            if write
            else "Nothing was stored: --write stores what is missing."
        )
        say(done)
    if found.contradictions:
        ctx.exit(int(Exit.FOUND))


async def _rebuild(ctx: click.Context, *, write: bool) -> tuple[FindingList, int]:
    found, restored = FindingList(), 0
    async with session(ctx, load_settings(ctx), owner=write) as connection:
        work = Rebuild(connection)
        async for batch in work.batches():
            found.add(batch)
            if write:
                restored += len(
                    await work.restore(batch, by=person(), why="rebuilt from the ids in both systems")
                )
    return found, restored
