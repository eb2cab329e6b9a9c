"""`erase`: forget one person, on their request."""

from __future__ import annotations

import time

import click

from twinbook.cli.context import json_option, load_settings, open_store, person, print_json
from twinbook.cli.exits import Exit, Problem
from twinbook.cli.terminal import say
from twinbook.engine.care import erasing
from twinbook.store import erasure


@click.command()
@click.argument("record", metavar="ID|EMAIL")
@click.option("--yes", is_flag=True, help="Erase; without it only what would be erased is shown.")
@json_option
@click.pass_context
def erase(ctx: click.Context, record: str, yes: bool, as_json: bool) -> None:
    """Erase one person's data from Twinbook's store: values in the history, outcomes, errors, drift and the memory of
    links. Ids are kept, so that the history of what was done still adds up.

    Delete or anonymise the contact in Salesforce and NetSuite first: what is still there is read again. Older backups
    hold the data until they are deleted too. For --yes, stop `twinbook run`.
    """
    settings = load_settings(ctx)
    with open_store(ctx, settings, owner=yes) as store:
        subject = store.read_now(lambda tx: erasure.find(tx, record))
        if not subject.ids:
            raise Problem(f"Twinbook knows nobody by {record!r}: there is nothing to erase.", Exit.FOUND)
        done = {}
        if yes:
            done = store.run_now(lambda tx: erasing.erase(tx, subject, by=person(), now=time.time()))
            store.database.compact()
    if as_json:
        print_json(
            {
                "salesforce_ids": sorted(subject.salesforce_ids),
                "netsuite_ids": sorted(subject.netsuite_ids),
                "erased": done,
            }
        )
        return
    ids = ", ".join(sorted(subject.ids))
    if not yes:
        say(f"This person is {ids}. Nothing was erased; --yes does it.")
        return
    for kind, number in done.items():
        say(f"{number:>8}  {kind}")
    say(f"The data of {ids} is erased, and the file was rewritten without it. Older backups still hold it.")
