"""`match`: whom a first sync would pair, and deciding it beforehand."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import TextIO

import click

from twinbook.cli.context import json_option, load_settings, person, print_json
from twinbook.cli.exits import Exit, Problem
from twinbook.cli.session import session
from twinbook.cli.terminal import console, say, visible
from twinbook.engine.care.deciding import UNDECIDE, Choice, Deciding, Flaw
from twinbook.engine.insight.matching_report import NEEDS_A_PERSON, Match, MatchKind, matches
from twinbook.spreadsheets.cells import open_for_writing
from twinbook.spreadsheets.matching import (
    UnreadableFileError,
    described,
    read_choices,
    write_rows,
)

SHOWN = 200
"""Rows on the screen of those that need a person, and as many of the others; the CSV file has all."""
FLAWS_SHOWN = 50


@click.command()
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write all rows to this file, to be looked through and decided in a spreadsheet.",
)
@click.option(
    "--decide",
    "decided_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Read decisions back from such a file: all of it, or nothing if a row is wrong.",
)
@click.option(
    "--undecide",
    metavar="ID",
    multiple=True,
    help="Take back what was decided about this Salesforce contact.",
)
@json_option
@click.pass_context
def match(
    ctx: click.Context,
    csv_file: Path | None,
    decided_file: Path | None,
    undecide: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show which contacts a first sync would link, create, or leave to a person, before anything is written.

    To decide, write a CSV file, fill in its column `decision` and read it back. A decision is the id of a NetSuite
    contact (any, not only a listed candidate), `new` to have one created, `skip` to leave the contact out, or `clear`
    to take back an earlier decision; a blank decides nothing. Decisions wait until the contact is synced.
    """
    if decided_file is not None or undecide:
        choices, flaws = _read(decided_file)
        choices += [Choice(0, id_, UNDECIDE) for id_ in undecide]
        asyncio.run(_decide(ctx, choices, flaws))
        if as_json:
            print_json({"decided": choices})
        else:
            say(f"{len(choices)} decisions were stored, by {person()}.")
        return
    counts, rows = asyncio.run(_report(ctx, csv_file, keep_all=as_json))
    if as_json:
        print_json({"counts": dict(counts), "contacts": rows})
    else:
        _print(counts, rows, csv_file)
    if any(counts[kind] for kind in NEEDS_A_PERSON):
        ctx.exit(int(Exit.FOUND))


def _read(path: Path | None) -> tuple[list[Choice], list[Flaw]]:
    if path is None:
        return [], []
    try:
        return read_choices(path)
    except UnreadableFileError as problem:
        raise Problem(f"{problem}. Nothing was stored.", Exit.USAGE) from None


async def _decide(ctx: click.Context, choices: list[Choice], flaws: list[Flaw]) -> None:
    async with session(ctx, load_settings(ctx)) as connection:
        deciding = Deciding(connection)
        wrong = [*flaws, *await deciding.flaws(choices)]
        if wrong:
            lines = [str(flaw) for flaw in sorted(wrong, key=lambda flaw: flaw.row)]
            more = len(lines) - FLAWS_SHOWN
            shown = [*lines[:FLAWS_SHOWN], *([f"… and {more} more"] if more > 0 else [])]
            raise Problem(
                "\n".join([*shown, "Nothing was stored. Correct these and read the file again."]), Exit.USAGE
            )
        await deciding.store(choices, by=person())


async def _report(
    ctx: click.Context, csv_file: Path | None, *, keep_all: bool
) -> tuple[Counter[MatchKind], list[Match]]:
    counts: Counter[MatchKind] = Counter()
    kept: dict[bool, list[Match]] = {True: [], False: []}
    file = _opened(csv_file)
    try:
        if file is not None:
            write_rows(file, (), header=True)
        async with session(ctx, load_settings(ctx)) as connection:
            async for row in matches(connection):
                counts[row.kind] += 1
                some = kept[row.kind in NEEDS_A_PERSON]
                if keep_all or len(some) < SHOWN:
                    some.append(row)
                if file is not None:
                    write_rows(file, (row,), header=False)
    finally:
        if file is not None:
            file.close()
    return counts, kept[True] + kept[False]


def _opened(path: Path | None) -> TextIO | None:
    if path is None:
        return None
    try:
        return open_for_writing(path)
    except OSError as problem:
        raise Problem(f"{path} cannot be written: {problem.strerror}.", Exit.USAGE) from None


def _print(counts: Counter[MatchKind], rows: list[Match], csv_file: Path | None) -> None:
    from rich.table import Table

    table = Table("", "contact", "email", "account", "candidates")
    for row in rows:
        texts = (row.kind.value, f"{row.salesforce_id}\n{row.name}", row.email, row.account)
        table.add_row(*(visible(text or "") for text in (*texts, "\n".join(map(described, row.candidates)))))
    if rows:
        console().print(table)
    for kind, number in counts.most_common():
        say(f"{number:>8}  {kind.value}")
    where = f" All rows are in {csv_file}." if csv_file else " Give --csv FILE to decide in a spreadsheet."
    if len(rows) < counts.total():
        say(f"The table shows {len(rows)} of them.")
    say(f"{counts.total()} contacts are not linked yet. Nothing was written.{where}")
