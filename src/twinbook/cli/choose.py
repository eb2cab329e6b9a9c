"""`choose`: what waits for a person, and deciding it. It works while `twinbook run` runs."""

from __future__ import annotations

import time

import click

from twinbook.cli.context import json_option, load_settings, open_store, person, print_json
from twinbook.cli.exits import Exit, Problem
from twinbook.domain.ids import to_18
from twinbook.engine.care import controls
from twinbook.store import outcomes
from twinbook.store.database import Store, Tx
from twinbook.store.outcomes import Outcome


@click.command()
@click.argument("record", metavar="[ID|EMAIL]", required=False)
@click.argument("choice", required=False)
@json_option
@click.pass_context
def choose(ctx: click.Context, record: str | None, choice: str | None, as_json: bool) -> None:
    """List what waits for a person, with the choices there are; with a choice, take it.

    A record is named by its id in Salesforce or NetSuite, or by its email. The history keeps who chose.
    """
    with open_store(ctx, load_settings(ctx)) as store:
        waiting = [_one(store, record)] if record else store.read_now(outcomes.with_choices)
        if choice is not None:
            _take(store, waiting[0], choice)
    if choice is not None:
        if as_json:
            print_json({"record": waiting[0].key, "chosen": choice})
        else:
            click.echo(f"{waiting[0].name or waiting[0].key.id}: {choice!r} is carried out at once.")
    elif as_json:
        print_json([_shown(item) for item in waiting])
    else:
        _print(waiting)


def _one(store: Store, text: str) -> Outcome:
    found = store.read_now(lambda tx: _named(tx, text))
    if len(found) != 1:
        problem = "no record with choices" if not found else "several: name one by its id, " + _ids(found)
        raise Problem(f"{text!r} names {problem}. See `twinbook choose` for all.", Exit.USAGE)
    return found[0]


def _named(tx: Tx, text: str) -> list[Outcome]:
    try:
        name = to_18(text)
    except ValueError:
        name = text.strip()
    key = name.casefold() if "@" in name else name
    return [
        item for item in outcomes.with_choices(tx) if key in (item.key.id, item.counterpart_id, item.email)
    ]


def _take(store: Store, item: Outcome, choice: str) -> None:
    try:
        store.run_now(lambda tx: controls.choose(tx, item.key, choice, by=person(), now=time.time()))
    except ValueError as problem:
        raise Problem(f"{problem}.", Exit.USAGE) from problem


def _ids(found: list[Outcome]) -> str:
    return ", ".join(item.key.id for item in found)


def _shown(item: Outcome) -> dict[str, object]:
    return {
        "record": item.key,
        "name": item.name,
        "email": item.email,
        "reason": item.reason,
        "detail": item.detail,
        "counterpart_id": item.counterpart_id,
        "choices": item.choices,
    }


def _print(waiting: list[Outcome]) -> None:
    if not waiting:
        click.echo("Nothing waits for a person.")
    for item in waiting:
        click.secho(f"{item.name or '(no name)'}  {item.key.entity.value} {item.key.id}", bold=True)
        click.echo(f"  {item.reason.value if item.reason else ''}: {item.detail}")
        click.echo(f"  Choices: {', '.join(item.choices)}")
