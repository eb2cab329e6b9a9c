"""`status`: what is running, what waits, what went wrong. It reads only the store, so it answers at once."""

from __future__ import annotations

import time
from dataclasses import dataclass

import click

from twinbook.cli.context import json_option, load_settings, open_store, print_json, when
from twinbook.cli.terminal import console, say
from twinbook.domain.reasons import CATALOGUE
from twinbook.domain.records import Entity
from twinbook.store import cursors, dirty_keys, flows, incidents, links, outcomes, runs
from twinbook.store.database import Tx
from twinbook.store.dirty_keys import Depth
from twinbook.store.flows import Flow
from twinbook.store.incidents import IncidentKind
from twinbook.store.outcomes import Tally
from twinbook.store.runs import Run


@dataclass(frozen=True, slots=True)
class Status:
    """One connection at one moment. `streams` says when each source of changes last moved (epoch seconds)."""

    connection: str
    flow: Flow
    queue: Depth
    linked_contacts: int
    linked_accounts: int
    contacts: list[Tally]
    accounts: list[Tally]
    errors: dict[str, int]
    streams: dict[str, float]
    runs: list[Run]


@click.command()
@json_option
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Show what is running, waiting and wrong."""
    with open_store(ctx, load_settings(ctx)) as store:
        found = store.read_now(lambda tx: _read(tx, now=time.time()))
    if as_json:
        print_json(found)
    else:
        _print(found)


def _read(tx: Tx, *, now: float) -> Status:
    errors = dict.fromkeys((kind.value for kind in IncidentKind), 0)
    for kind, _, number in incidents.tally(tx):
        errors[kind.value] += number
    return Status(
        tx.scope,
        flows.state(tx),
        dirty_keys.depth(tx, now=now),
        links.count(tx, Entity.CONTACT),
        links.count(tx, Entity.ACCOUNT),
        outcomes.tally(tx, Entity.CONTACT),
        outcomes.tally(tx, Entity.ACCOUNT),
        errors,
        cursors.ages(tx),
        runs.latest(tx, limit=3),
    )


def _print(found: Status) -> None:
    from rich.table import Table

    flow = f"paused by {found.flow.changed_by}" if found.flow.paused else "on"
    queue = found.queue
    say(f"{found.connection}  flow {flow}", bold=True)
    if found.flow.stopped:
        say(
            f"safety stop since {when(found.flow.stopped_at)}: {found.flow.stopped_why}. "
            "Check the two systems, then `twinbook resume --confirm`.",
            bold=True,
            fg="red",
        )
    say(f"linked    {found.linked_contacts} contacts, {found.linked_accounts} accounts")
    say(f"queue     {queue.due} due, {queue.later} for later, {queue.claimed} in work")
    say(f"errors    {found.errors['failed']} need a person, {found.errors['retrying']} are being retried")
    for run in found.runs:
        total = f" of about {run.total}" if run.total else ""
        say(
            f"{run.kind.value:<9} {run.state.value}, {run.listed}{total} listed, since {when(run.started_at)}"
        )
    for title, tallies in (("Contacts", found.contacts), ("Accounts", found.accounts)):
        table = Table("outcome", "reason", "number", "what it means", title=title, title_justify="left")
        for item in tallies:
            meaning = CATALOGUE[item.reason].meaning if item.reason else ""
            table.add_row(item.kind.value, item.reason or "", str(item.number), meaning)
        if tallies:
            console().print(table)
