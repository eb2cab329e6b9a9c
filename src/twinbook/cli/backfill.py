"""`backfill`: look at all contacts once. Resumable: what was listed and what was done is in the store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import click

from twinbook.cli.context import choose_connection, json_option, load_settings, open_store, person, print_json
from twinbook.cli.exits import Exit
from twinbook.cli.session import session
from twinbook.cli.terminal import say
from twinbook.domain.checks import SYSTEM_NAMES
from twinbook.domain.plan import OutcomeKind
from twinbook.domain.reasons import CATALOGUE, Reason
from twinbook.domain.records import Entity
from twinbook.engine.care import backfilling
from twinbook.engine.care.backfilling import Progress
from twinbook.engine.connection import Source, looked_through
from twinbook.engine.running.supervisor import Supervisor
from twinbook.settings import Settings
from twinbook.store import runs
from twinbook.store.database import Store, StoreBusyError, Tx

LOOK_EVERY = 0.5
RunCounts = list[tuple[OutcomeKind, Reason | None, int]]


@click.command()
@json_option
@click.pass_context
def backfill(ctx: click.Context, as_json: bool) -> None:
    """Look at all accounts and contacts once. Stopped at any point, it goes on where it was when called again.

    Where the direction leads to Salesforce, contacts of NetSuite are looked at too, after those of Salesforce. While
    `twinbook run` runs, that process does the work and this command shows its progress.
    """
    settings = load_settings(ctx)
    parts = looked_through(choose_connection(ctx, settings)[1].contacts.direction)
    try:
        counts = asyncio.run(_work(ctx, settings, parts, quiet=as_json))
    except StoreBusyError:
        with open_store(ctx, settings) as store:
            counts = asyncio.run(_watch(store, _start(store, parts), quiet=as_json))
    if as_json:
        print_json([{"outcome": kind, "reason": why, "number": number} for kind, why, number in counts])
    else:
        _print(counts)
    if any(kind is OutcomeKind.FAILED for kind, _, _ in counts):
        ctx.exit(int(Exit.FOUND))


async def _work(ctx: click.Context, settings: Settings, parts: Sequence[Source], *, quiet: bool) -> RunCounts:
    async with session(ctx, settings, owner=True) as connection:
        run_ids = _start(connection.store, parts)
        watching = asyncio.create_task(_watch(connection.store, run_ids, quiet=quiet))
        await Supervisor(connection).run(watching, watch=())
        return watching.result()


def _start(store: Store, parts: Sequence[Source]) -> list[int]:
    return store.run_now(lambda tx: backfilling.begin(tx, parts, by=person(), now=time.time()))


async def _watch(store: Store, run_ids: list[int], *, quiet: bool) -> RunCounts:
    """Show progress until the runs are done; the counts of contacts."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True), disable=quiet) as progress:
        bars = {id_: progress.add_task("", total=None) for id_ in run_ids}
        while True:
            found = await store.read(lambda tx: [_progress(tx, id_) for id_ in run_ids])
            for item in found:
                named = f"{item.run.entity.value}s of {SYSTEM_NAMES[item.run.side]}"
                progress.update(bars[item.run.id], description=named, total=item.total, completed=item.done)
            if all(item.run.ended for item in found):
                break
            await asyncio.sleep(LOOK_EVERY)
    return await store.read(lambda tx: runs.counts(tx, _of_contacts(found)))


def _of_contacts(found: Sequence[Progress]) -> list[int]:
    return [item.run.id for item in found if item.run.entity is Entity.CONTACT]


def _progress(tx: Tx, run_id: int) -> Progress:
    return backfilling.progress(tx, runs.by_id(tx, run_id), now=time.time())


def _print(counts: RunCounts) -> None:
    for kind, reason, number in counts:
        meaning = f"  {CATALOGUE[reason].meaning}" if reason else ""
        say(f"{number:>8}  {kind.value:<10}{reason or '':<22}{meaning}")
