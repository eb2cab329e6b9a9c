"""`undo`: giving back what Twinbook has overwritten."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import datetime

import click

from twinbook.cli.context import json_option, load_settings, person, print_json
from twinbook.cli.exits import Exit, Problem
from twinbook.cli.session import session
from twinbook.cli.terminal import say
from twinbook.engine.care.pairs import AccountPairs, ContactPairs
from twinbook.engine.care.undo import Carried, Undoer
from twinbook.engine.care.undoing import FieldUndo, Step, Undo
from twinbook.store.journal import Selection

_AGO = re.compile(r"(\d+)\s*([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
WHAT = {
    Step.RESTORE: "fields get back what they held",
    Step.INACTIVATE: "the NetSuite record is made inactive, and the pair left out of the sync",
    Step.TAKE_APART: "the match is taken apart, fields get back what they held, and both are left out of the sync",
    Step.NOTHING: "left as it is",
}


@click.command()
@click.argument("entry", type=int, required=False, metavar="[ENTRY]")
@click.option("--run", "run_id", type=int, help="Everything that a run (a back-fill, for example) wrote.")
@click.option("--since", help="Everything since then: 2h, 30m, 1d, or a time such as 2026-10-01T14:00.")
@click.option("--yes", is_flag=True, help="Undo it; without it, what would be done is only shown.")
@json_option
@click.pass_context
def undo(
    ctx: click.Context, entry: int | None, run_id: int | None, since: str | None, yes: bool, as_json: bool
) -> None:
    """Undo what Twinbook wrote to contacts and accounts: one journal entry (`twinbook explain` shows their numbers), a
    run, or all since a time.

    A field gets back what it held before, unless somebody has changed it since; such fields are listed. Twinbook does
    not write the undone value again until the field is edited anew. What Twinbook created is made inactive, never
    deleted; an account loses its customer then. A wrong match is taken apart. What cannot be undone, such as a
    delete, is listed with what to do instead. Stop `twinbook run` before --yes; nothing is lost meanwhile.
    """
    if sum(item is not None for item in (entry, run_id, since)) != 1:
        raise Problem("Say what to undo: the number of a journal entry, --run, or --since.", Exit.USAGE)
    chosen = Selection(entry, run_id, _moment(since) if since else None)
    found, carried = asyncio.run(_undo(ctx, chosen, carry_out=yes))
    if not found:
        raise Problem(
            "The journal has nothing about contacts or accounts there. Nothing was undone.", Exit.FOUND
        )
    refused = [item for item in carried if item.refused]
    if as_json:
        print_json({"undo": [_row(item) for item in found], "refused": refused, "done": yes})
    else:
        _print(found, refused, done=yes)
    left = any(undone.obstacle or any(one.obstacle for one in undone.fields) for undone in found)
    if refused or left:
        ctx.exit(int(Exit.FOUND))


async def _undo(
    ctx: click.Context, chosen: Selection, *, carry_out: bool
) -> tuple[list[Undo], list[Carried]]:
    found: list[Undo] = []
    carried: list[Carried] = []
    async with session(ctx, load_settings(ctx), owner=carry_out) as connection:
        for pairs in (ContactPairs(connection), AccountPairs(connection)):
            undoer = Undoer(connection, pairs)
            async for batch in undoer.batches(chosen):
                found += batch
                if carry_out:
                    carried += await undoer.carry_out(batch, by=person())
    return found, carried


def _moment(text: str) -> float:
    ago = _AGO.fullmatch(text.strip())
    if ago:
        return time.time() - int(ago[1]) * _SECONDS[ago[2]]
    try:
        return datetime.fromisoformat(text.strip()).astimezone().timestamp()
    except ValueError:
        raise Problem(
            f"{text!r} is no time: write 2h, 30m or 1d for a time ago, or one such as 2026-10-01T14:00.",
            Exit.USAGE,
        ) from None


def _row(item: Undo) -> dict[str, object]:
    return {
        "salesforce_id": item.salesforce_id,
        "netsuite_id": item.netsuite_id,
        "name": item.name,
        "entries": item.entries,
        "step": item.step,
        "fields": item.fields,
        "obstacle": item.obstacle,
    }


def _print(found: list[Undo], refused: list[Carried], *, done: bool) -> None:
    for item in found:
        say(f"{item.name}  ({item.salesforce_id} / {item.netsuite_id or '-'})", bold=True)
        say(f"  {WHAT[item.step]}{f': {item.obstacle}' if item.obstacle else ''}")
        for one in item.fields:
            say(f"    {_line(one)}")
    for carried in refused:
        say(f"refused  {carried.undo.salesforce_id}: {carried.refused}")
    number = sum(item.step is not Step.NOTHING for item in found) - len(refused)
    if done:
        say(f"{number} records were undone.")
    else:
        say(f"{number} records would be undone. Nothing was written: --yes does it.")


def _line(one: FieldUndo) -> str:
    if one.obstacle:
        return f"{one.side} {one.field}: left as {one.shows!r}, {one.obstacle}"
    return f"{one.side} {one.field}: {one.shows!r} -> {one.restored!r}"
