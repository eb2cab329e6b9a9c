"""`choose`: what waits for a person, and deciding it. It works while `twinbook run` runs."""

from __future__ import annotations

import asyncio
import time

import click

from twinbook.cli.context import json_option, load_settings, open_store, person, print_json
from twinbook.cli.exits import Exit, Problem
from twinbook.cli.session import session
from twinbook.cli.terminal import say
from twinbook.domain.ids import to_18
from twinbook.domain.mapping import ConflictPolicy
from twinbook.engine.care import controls
from twinbook.engine.care.resolving import Resolving, Wish
from twinbook.store import outcomes
from twinbook.store.database import Store, Tx
from twinbook.store.outcomes import Outcome


@click.command()
@click.argument("record", metavar="[ID|EMAIL]", required=False)
@click.argument("choice", required=False)
@click.option(
    "--set",
    "values",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Give a field in conflict this value, on both sides.",
)
@click.option(
    "--take", "sides", multiple=True, metavar="FIELD=SIDE", help="Settle one field: salesforce or netsuite."
)
@json_option
@click.pass_context
def choose(
    ctx: click.Context,
    record: str | None,
    choice: str | None,
    values: tuple[str, ...],
    sides: tuple[str, ...],
    as_json: bool,
) -> None:
    """List what waits for a person, with the choices there are; with a choice, take it.

    A record is named by its id in Salesforce or NetSuite, or by its email. Fields that both sides changed can be
    settled one by one, --take for the value of one side and --set for another value, which is checked against the
    limits of both systems first; a choice beside them settles the rest. The history keeps who chose.
    """
    if (values or sides) and record is None:
        raise Problem("Say for which record: its id, or its email.", Exit.USAGE)
    wish = _wish(values, sides, choice) if values or sides else None
    with open_store(ctx, load_settings(ctx)) as store:
        waiting = (
            [_one(store, record, any_=wish is not None)] if record else store.read_now(outcomes.with_choices)
        )
        if choice is not None and wish is None:
            _take(store, waiting[0], choice)
    if wish is not None:
        asyncio.run(_resolve(ctx, waiting[0], wish))
    if choice is not None or wish is not None:
        _confirm(waiting[0], [*values, *sides, *([choice] if choice else [])], as_json=as_json)
    elif as_json:
        print_json([_shown(item) for item in waiting])
    else:
        _print(waiting)


def _confirm(item: Outcome, chosen: list[str], *, as_json: bool) -> None:
    if as_json:
        print_json({"record": item.key, "chosen": chosen})
    else:
        say(f"{item.name or item.key.id}: {', '.join(map(repr, chosen))} is carried out at once.")


def _wish(values: tuple[str, ...], sides: tuple[str, ...], choice: str | None) -> Wish:
    wanted = {field: _side(side, "--take") for field, side in _pairs(sides, "--take").items()}
    return Wish(_pairs(values, "--set"), wanted, _side(choice, "the choice") if choice else None)


def _pairs(texts: tuple[str, ...], option: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        field, equals, value = text.partition("=")
        if not (field.strip() and equals):
            raise Problem(f"{option} {text!r}: write it as FIELD=VALUE.", Exit.USAGE)
        if field.strip() in found:
            raise Problem(f"{option} names {field.strip()} twice.", Exit.USAGE)
        found[field.strip()] = value
    return found


def _side(text: str, what: str) -> ConflictPolicy:
    sides = (ConflictPolicy.SALESFORCE, ConflictPolicy.NETSUITE)
    found = next((side for side in sides if side == text.strip().casefold()), None)
    if found is None:
        raise Problem(f"{what} {text!r} names no side: write salesforce or netsuite.", Exit.USAGE)
    return found


async def _resolve(ctx: click.Context, item: Outcome, wish: Wish) -> None:
    async with session(ctx, load_settings(ctx)) as connection:
        flaws = await Resolving(connection).resolve(item.key, wish, by=person())
    if flaws:
        raise Problem("Nothing was decided. " + "; ".join(flaws), Exit.USAGE)


def _one(store: Store, text: str, *, any_: bool) -> Outcome:
    """The record with choices that is meant; with `any_` also one without, whose value was refused, for example."""
    found = store.read_now(lambda tx: _named(tx, text) or (outcomes.search(tx, text) if any_ else []))
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
        say("Nothing waits for a person.")
    for item in waiting:
        say(f"{item.name or '(no name)'}  {item.key.entity.value} {item.key.id}", bold=True)
        say(f"  {item.reason.value if item.reason else ''}: {item.detail}")
        say(f"  Choices: {', '.join(item.choices)}")
