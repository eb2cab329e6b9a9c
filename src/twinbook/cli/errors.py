"""`errors`: what went wrong, in groups by cause, and trying it again."""

from __future__ import annotations

import time
from collections import defaultdict

import click

from twinbook.cli.context import json_option, load_settings, open_store, print_json, when
from twinbook.cli.exits import Exit, Problem
from twinbook.cli.terminal import say
from twinbook.engine.care import controls
from twinbook.store import incidents
from twinbook.store.incidents import Incident, IncidentKind


@click.group(invoke_without_command=True)
@click.pass_context
def errors(ctx: click.Context) -> None:
    """List, show and retry what went wrong. A later success of the same record closes its error by itself.

    Without a further word it lists.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_errors, as_json=False)


@errors.command("list")
@json_option
@click.pass_context
def list_errors(ctx: click.Context, as_json: bool) -> None:
    """Open errors, grouped by cause, newest first. Exit code 1 when something waits for a person."""
    with open_store(ctx, load_settings(ctx)) as store:
        found = store.read_now(incidents.open_ones)
    if as_json:
        print_json(found)
    elif not found:
        say("No open errors.")
    else:
        _print_groups(found)
    if any(item.kind is IncidentKind.FAILED for item in found):
        ctx.exit(int(Exit.FOUND))


@errors.command()
@click.argument("number", type=int)
@json_option
@click.pass_context
def show(ctx: click.Context, number: int, as_json: bool) -> None:
    """One error with everything known of it."""
    with open_store(ctx, load_settings(ctx)) as store:
        found = store.read_now(lambda tx: incidents.by_id(tx, number))
    if found is None:
        raise Problem(f"There is no error with the number {number}. See `twinbook errors list`.", Exit.USAGE)
    if as_json:
        print_json(found)
        return
    rows = {
        "record": f"{found.key.side.value} {found.key.entity.value} {found.key.id}",
        "what": f"{found.code}: {found.message}",
        "field": found.field or "-",
        "what to do": found.remedy or "-",
        "tries": str(found.attempts),
        "first seen": when(found.opened_at),
        "last seen": when(found.seen_at),
        "closed": f"{when(found.closed_at)} by {found.closed_by}" if found.closed_at else "no",
    }
    for name, value in rows.items():
        say(f"{name:>12}  {value}")


@errors.command()
@click.argument("numbers", type=int, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Retry all open errors.")
@json_option
@click.pass_context
def retry(ctx: click.Context, numbers: tuple[int, ...], everything: bool, as_json: bool) -> None:
    """Try records again at once, by the numbers of their errors, or all of them."""
    if not numbers and not everything:
        raise Problem("Name the numbers of the errors to retry, or give --all.", Exit.USAGE)
    with open_store(ctx, load_settings(ctx)) as store:
        chosen = store.read_now(lambda tx: controls.open_incidents(tx, list(numbers)))
        unknown = set(numbers) - {item.id for item in chosen}
        if unknown:
            names = ", ".join(str(number) for number in sorted(unknown))
            raise Problem(f"No open error has the number {names}. Nothing was retried.", Exit.USAGE)
        store.run_now(lambda tx: controls.retry(tx, chosen, now=time.time()))
    if as_json:
        print_json({"retried": [item.id for item in chosen]})
    else:
        say(f"{len(chosen)} records are tried again.")


def _print_groups(found: list[Incident]) -> None:
    groups: dict[tuple[str, str], list[Incident]] = defaultdict(list)
    for item in found:
        groups[item.code, item.remedy].append(item)
    for (code, remedy), members in groups.items():
        retried = all(item.kind is IncidentKind.RETRYING for item in members)
        say(f"{code}  ({len(members)}{', retried by itself' if retried else ''})", bold=True)
        say(f"  What to do: {remedy}")
        for item in members[:10]:
            say(f"  #{item.id}  {item.key.entity.value} {item.key.id}  {item.message}")
        if len(members) > 10:
            say(f"  … and {len(members) - 10} more (--json lists all)")
