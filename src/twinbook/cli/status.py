"""`status`: what is running, what waits, what went wrong. It reads only the store, so it answers at once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import click

from twinbook.cli.context import (
    choose_connection,
    json_option,
    load_settings,
    open_database,
    print_json,
    when,
)
from twinbook.cli.terminal import console, say
from twinbook.domain.reasons import CATALOGUE
from twinbook.domain.records import Entity
from twinbook.engine import budget
from twinbook.salesforce.rest import API_REQUESTS
from twinbook.settings import ConnectionSettings
from twinbook.store import conditions, cursors, dirty_keys, flows, incidents, links, outcomes, processes, runs
from twinbook.store.conditions import Condition, Seen, State
from twinbook.store.database import Role, Store, Tx
from twinbook.store.dirty_keys import Depth
from twinbook.store.flows import Flow
from twinbook.store.incidents import IncidentKind
from twinbook.store.outcomes import Tally
from twinbook.store.processes import Process
from twinbook.store.runs import Run

# From this share on a person should know that an allowance is nearly used up.
NEARLY_USED_UP = 0.9


@dataclass(frozen=True, slots=True)
class Status:
    """One connection at one moment. `streams` says when each source of changes last moved (epoch seconds). `condition`
    is None where nothing has worked on it yet; `notices` are for people."""

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
    condition: Condition | None
    allowances: list[Seen]
    notices: list[str]
    processes: list[Process]


@click.command()
@json_option
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Show what is running, waiting and wrong."""
    settings = load_settings(ctx)
    named: str | None = ctx.find_root().obj["connection"]
    chosen = [choose_connection(ctx, settings)] if named else list(settings.connections.items())
    database = open_database(settings, Role.GUEST)
    try:
        found = [_status(Store(database, name), each) for name, each in chosen]
    finally:
        database.close()
    if as_json:
        print_json(found[0] if len(found) == 1 else found)
    else:
        for item in found:
            _print(item)


def _status(store: Store, settings: ConnectionSettings) -> Status:
    return store.read_now(lambda tx: _read(tx, settings, now=time.time()))


def _read(tx: Tx, settings: ConnectionSettings, *, now: float) -> Status:
    allowances = conditions.allowances(tx)
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
        conditions.of(tx),
        allowances,
        list(_notices(allowances, settings.limits.reserve_percent)),
        processes.at_work(tx, now=now),
    )


def _notices(allowances: Sequence[Seen], reserve_percent: float) -> Iterator[str]:
    """What a person should know of allowances that run out."""
    for item in allowances:
        allowance = item.allowance
        if allowance.name == API_REQUESTS:
            if told := budget.notice(allowance, reserve_percent):
                yield told
        elif allowance.used >= allowance.limit * NEARLY_USED_UP:
            yield (
                f"{allowance.used:,} of {allowance.limit:,} {allowance.name} are used up in this day. Salesforce "
                "refuses more until the last 24 hours move on; sweeps find what was missed."
            )


def _print_condition(condition: Condition) -> None:
    say(f"state     {condition.state.value} since {when(condition.since)}")
    if condition.state is State.RETRYING:
        say(f"          {condition.code}: {condition.detail}", fg="red")
        say(f"          tried again at {when(condition.next_try_at)}")
    elif condition.detail:
        say(f"notice    {condition.detail}", fg="yellow")


def _print(found: Status) -> None:
    from rich.table import Table

    flow = f"paused by {found.flow.changed_by}" if found.flow.paused else "on"
    queue = found.queue
    say(f"{found.connection}  flow {flow}", bold=True)
    if found.condition is not None:
        _print_condition(found.condition)
    say(f"at work   {processes.told(found.processes)}")
    for notice in found.notices:
        say(f"notice    {notice}", fg="yellow")
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
    for seen in found.allowances:
        name, used, most = seen.allowance.name, seen.allowance.used, seen.allowance.limit
        say(f"allowance {name}: {used:,} of {most:,} used, as of {when(seen.at)}")
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
