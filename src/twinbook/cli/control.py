"""`push`, `pause`, `resume`: asking a running connection for something. They work while `twinbook run` runs."""

from __future__ import annotations

import time

import click

from twinbook.cli.context import json_option, load_settings, open_store, person, print_json
from twinbook.cli.exits import Exit, Problem
from twinbook.cli.terminal import say
from twinbook.domain.ids import to_18
from twinbook.domain.records import Entity, Key, Side
from twinbook.engine.care import controls
from twinbook.store import flows
from twinbook.store.database import Tx

PREFIXES = {"003": Entity.CONTACT, "001": Entity.ACCOUNT}


@click.command()
@click.argument("record_id", metavar="ID")
@json_option
@click.pass_context
def push(ctx: click.Context, record_id: str, as_json: bool) -> None:
    """Look at one record at once: a Salesforce contact or account id, or the id of a NetSuite contact.

    Pushing an account links it with a NetSuite customer, and sends all its contacts.
    """
    with open_store(ctx, load_settings(ctx)) as store:

        def mark(tx: Tx) -> Key:
            key = _salesforce_key(record_id) or controls.key_of(tx, record_id)
            if key is None:
                raise Problem(
                    f"{record_id!r} is neither the id of a Salesforce contact (003…) or account (001…) nor the "
                    "NetSuite id of a contact that Twinbook has seen.",
                    Exit.USAGE,
                )
            controls.push(tx, key, now=time.time())
            return key

        key = store.run_now(mark)
    if as_json:
        print_json({"queued": key})
    else:
        say(f"Queued {key.entity.value} {key.id}. See `twinbook explain {key.id}` for what comes of it.")


@click.command()
@json_option
@click.pass_context
def pause(ctx: click.Context, as_json: bool) -> None:
    """Stop writing to both systems. Changes are still taken in, and wait with the reason PAUSED."""
    with open_store(ctx, load_settings(ctx)) as store:
        store.run_now(lambda tx: controls.pause(tx, by=person(), now=time.time()))
    if as_json:
        print_json({"paused": True})
    else:
        say("Paused. Nothing is lost: `twinbook resume` works off what waits.")


@click.command()
@click.option("--confirm", is_flag=True, help="Go on after a safety stop too: what vanished is worked off.")
@json_option
@click.pass_context
def resume(ctx: click.Context, confirm: bool, as_json: bool) -> None:
    """Go on after a pause, and look again at everything that waited for it.

    A safety stop is released only with --confirm, once a person has looked at what vanished.
    """

    def go_on(tx: Tx) -> int:
        flow, now = flows.state(tx), time.time()
        if flow.stopped and not confirm:
            raise Problem(
                f"A safety valve holds this connection: {flow.stopped_why}. Check the two systems; if all is as it "
                "should be, go on with `twinbook resume --confirm`.",
                Exit.FOUND,
            )
        confirmed = controls.confirm(tx, by=person(), now=now) if flow.stopped else 0
        return confirmed + controls.resume(tx, by=person(), now=now)

    with open_store(ctx, load_settings(ctx)) as store:
        number = store.run_now(go_on)
    if as_json:
        print_json({"paused": False, "waiting": number})
    else:
        say(f"Resumed. {number} records that waited are looked at again.")


def _salesforce_key(text: str) -> Key | None:
    entity = PREFIXES.get(text[:3])
    if entity is None:
        return None
    try:
        return Key(entity, Side.SALESFORCE, to_18(text))
    except ValueError:
        return None
