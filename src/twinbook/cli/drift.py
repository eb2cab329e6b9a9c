"""`drift`: what sweeps found, with the values of both sides and what was done, and putting it right on request."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from twinbook.cli.context import json_option, load_settings, open_store, person, print_json, when
from twinbook.cli.exits import Exit, Problem
from twinbook.cli.terminal import console, say, visible
from twinbook.domain.drift import DriftKind
from twinbook.engine.care import drift_repair
from twinbook.spreadsheets.cells import open_for_writing, write_cells
from twinbook.spreadsheets.drift import COLUMNS, cells_of, done, shown
from twinbook.store import drifts, sweeps
from twinbook.store.database import Store
from twinbook.store.drifts import Line
from twinbook.store.sweeps import Sweep

SWEEPS, SHOWN, PAGE = 10, 50, 1000
_kinds = click.option(
    "--kind",
    "kinds",
    multiple=True,
    type=click.Choice([kind.value for kind in DriftKind]),
    help="Only differences of this kind; may be given several times.",
)


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def drift(ctx: click.Context, as_json: bool) -> None:
    """Show what sweeps found out of step, and have it put right.

    Without a further word: the last sweeps, and what the latest one found.
    """
    if ctx.invoked_subcommand is not None:
        return
    with open_store(ctx, load_settings(ctx)) as store:
        found = store.read_now(lambda tx: sweeps.latest(tx, limit=SWEEPS))
        counts = {item.run.id: _tally(store, item) for item in found}
        lines = _lines(store, found[0], limit=PAGE if as_json else SHOWN) if found else []
    if as_json:
        print_json(
            {
                "sweeps": [summary_of(item, counts[item.run.id]) for item in found],
                "drift": [shown_line(line) for line in lines],
            }
        )
    elif not found:
        say("No sweep has run yet. `twinbook sweep` begins one.")
    else:
        _print_sweeps(found, counts)
        print_lines(lines, counts[found[0].run.id])


@drift.command()
@click.argument("number", type=int, required=False)
@_kinds
@click.option("--csv", "file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@json_option
@click.pass_context
def show(
    ctx: click.Context, number: int | None, kinds: Sequence[str], file: Path | None, as_json: bool
) -> None:
    """All that one sweep found, by its number (the latest without one): as a table, CSV (--csv FILE, or -) or JSON."""
    chosen = [DriftKind(kind) for kind in kinds]
    with open_store(ctx, load_settings(ctx)) as store:
        found = _sweep(store, number)
        if file is not None:
            _write_csv(file, _all_lines(store, found, chosen))
            return
        lines = list(_all_lines(store, found, chosen))
        counts = _tally(store, found)
    if as_json:
        print_json({"sweep": summary_of(found, counts), "drift": [shown_line(line) for line in lines]})
    else:
        _print_sweeps([found], {found.run.id: counts})
        print_lines(lines, counts)


@drift.command()
@click.argument("records", metavar="[ID]...", nargs=-1)
@click.option("--sweep", "number", type=int, help="The number of the sweep; the latest one without it.")
@_kinds
@click.option("--all", "everything", is_flag=True, help="All that the sweep found.")
@json_option
@click.pass_context
def repair(
    ctx: click.Context,
    records: Sequence[str],
    number: int | None,
    kinds: Sequence[str],
    everything: bool,
    as_json: bool,
) -> None:
    """Have differences put right that a sweep only reported: by the ids of their contacts, by kind, or all of them.

    Each contact is looked at anew, and decided by the settings like any other change.
    """
    if not (records or kinds or everything):
        raise Problem("Name contacts by their ids, or give --kind or --all.", Exit.USAGE)
    chosen = [DriftKind(kind) for kind in kinds]
    with open_store(ctx, load_settings(ctx)) as store:
        run_id, queued, more = _sweep(store, number).run.id, 0, True
        while more:
            part = store.run_now(
                lambda tx: drift_repair.repair(
                    tx, run_id, kinds=chosen, record_ids=records, by=person(), now=time.time()
                )
            )
            queued, more = queued + part, part > 0
    if as_json:
        print_json({"sweep": run_id, "queued": queued})
    else:
        say(f"{queued} contacts are looked at again. See `twinbook drift show {run_id}` for what came of it.")


def summary_of(item: Sweep, counts: Mapping[DriftKind, int]) -> dict[str, Any]:
    """A sweep as programs read it."""
    return {
        "number": item.run.id,
        "state": item.run.state,
        "started_at": item.run.started_at,
        "finished_at": item.run.finished_at,
        "requested_by": item.run.requested_by,
        "thorough": item.thorough,
        "repairs": item.repairs,
        "salesforce_listed": item.salesforce_listed,
        "netsuite_listed": item.netsuite_listed,
        "compared": item.compared,
        "stopped_why": item.stopped_why,
        "counts": {kind.value: number for kind, number in counts.items()},
    }


def shown_line(line: Line) -> dict[str, Any]:
    """A finding as programs read it."""
    found = line.found
    return {
        "sweep": line.run_id,
        "kind": found.drift.kind,
        "salesforce_id": found.salesforce_id,
        "netsuite_id": found.netsuite_id,
        "name": found.name,
        "why": found.drift.why,
        "fields": found.drift.fields,
        "queued_at": line.queued_at,
        "queued_by": line.queued_by,
        "outcome": line.outcome,
        "reason": line.reason,
        "done": done(line),
    }


def print_lines(lines: Sequence[Line], counts: Mapping[DriftKind, int]) -> None:
    """Findings as a table, one row a field; the counts say how many there are in all."""
    from rich.table import Table

    if not lines:
        say("Nothing was out of step.")
        return
    table = Table(
        "kind", "contact", "salesforce / netsuite", "what", "Salesforce", "NetSuite", "agreed", "done"
    )
    for line in lines:
        found = line.found
        pair = f"{found.salesforce_id or '-'} / {found.netsuite_id or '-'}"
        head = (found.drift.kind.value, found.name, pair)
        if not found.drift.fields:
            table.add_row(*map(visible, (*head, found.drift.why, "", "", "", done(line))))
        for number, field in enumerate(found.drift.fields):
            values = map(shown, (field.salesforce, field.netsuite, field.agreed))
            first = (head, done(line)) if number == 0 else (("", "", ""), "")
            table.add_row(*map(visible, (*first[0], field.field, *values, first[1])))
    console().print(table)
    total = sum(counts.values())
    if total > len(lines):
        say(f"… {total} in all; `twinbook drift show` lists them, with --csv or --json for programs.")


def _print_sweeps(found: Sequence[Sweep], counts: Mapping[int, Mapping[DriftKind, int]]) -> None:
    from rich.table import Table

    table = Table("sweep", "began", "state", "Salesforce", "NetSuite", "read in full", "found")
    for item in found:
        kinds = ", ".join(f"{number} {kind.value}" for kind, number in counts[item.run.id].items())
        state = "stopped" if item.stopped_why else item.run.state.value
        table.add_row(
            str(item.run.id),
            when(item.run.started_at),
            f"{state}{', thorough' if item.thorough else ''}{'' if item.repairs else ', report only'}",
            str(item.salesforce_listed),
            str(item.netsuite_listed),
            str(item.compared),
            kinds or "nothing",
        )
    console().print(table)
    for item in found:
        if item.stopped_why:
            say(f"Sweep {item.run.id} stopped the flow: {item.stopped_why}.")


def _write_csv(file: Path, lines: Iterator[Line]) -> None:
    try:
        target = sys.stdout if str(file) == "-" else open_for_writing(file)
    except OSError as problem:
        raise Problem(f"{file} cannot be written: {problem.strerror}.", Exit.USAGE) from None
    write_cells(target, [COLUMNS])
    write_cells(target, (cells for line in lines for cells in cells_of(line)))
    if target is not sys.stdout:
        target.close()


def _tally(store: Store, item: Sweep) -> dict[DriftKind, int]:
    return store.read_now(lambda tx: drifts.tally(tx, item.run.id))


def _lines(store: Store, item: Sweep, *, limit: int) -> list[Line]:
    return store.read_now(lambda tx: drifts.lines(tx, item.run.id, limit=limit))


def _all_lines(store: Store, item: Sweep, kinds: Sequence[DriftKind]) -> Iterator[Line]:
    def page(after: int) -> list[Line]:
        return store.read_now(lambda tx: drifts.lines(tx, item.run.id, kinds=kinds, after=after, limit=PAGE))

    lines = page(0)
    while lines:
        yield from lines
        lines = page(lines[-1].id)


def _sweep(store: Store, number: int | None) -> Sweep:
    """The sweep of this number, or the latest one."""
    latest = store.read_now(lambda tx: sweeps.latest(tx, limit=1))
    found = (
        next(iter(latest), None) if number is None else store.read_now(lambda tx: sweeps.by_id(tx, number))
    )
    if found is None:
        problem = (
            "No sweep has run yet." if number is None else f"There is no sweep with the number {number}."
        )
        raise Problem(f"{problem} See `twinbook drift`.", Exit.USAGE)
    return found
