"""`adopt`: taking over the links that another product has made."""

from __future__ import annotations

import asyncio

import click

from twinbook.cli.context import choose_connection, json_option, load_settings, person, print_json
from twinbook.cli.exits import Exit
from twinbook.cli.findings import FindingList
from twinbook.cli.session import session
from twinbook.cli.terminal import say
from twinbook.composition import connect
from twinbook.domain.pairing import Finding
from twinbook.engine.care.adoption import Adoption
from twinbook.engine.clock import SystemClock
from twinbook.settings.presets import ID_FIELDS, Preset

PRODUCTS = [preset.value for preset in Preset if preset is not Preset.TWINBOOK]


@click.command()
@click.option(
    "--preset",
    type=click.Choice(PRODUCTS),
    required=True,
    help="The product whose id fields are read on both sides.",
)
@click.option("--yes", is_flag=True, help="Take the consistent links over; without it they are only shown.")
@json_option
@click.pass_context
def adopt(ctx: click.Context, preset: str, yes: bool, as_json: bool) -> None:
    """Take over the links of another product from its id fields.

    Without --yes nothing is written anywhere. With it, accounts and contacts that name each other become links; where
    the settings use other id fields than the product, the ids are copied into those, and never over an id that stands
    there. The product's own fields are not touched. Exit code 1 when something was contradictory or refused.
    """
    found, linked, refused = asyncio.run(_adopt(ctx, Preset(preset), take=yes))
    if as_json:
        print_json(found.as_json() | {"linked": linked, "refused": [_refusal(*item) for item in refused]})
    else:
        found.show()
        for finding, why in refused:
            say(f"refused  {finding.entity.value} {finding.salesforce_id} / {finding.netsuite_id}: {why}")
        if yes:
            say(f"{linked} links were taken over. Next: `twinbook plan`, then `twinbook backfill`.")
        else:
            say("Nothing was written: --yes takes the consistent ones over.")
    if found.contradictions or refused:
        ctx.exit(int(Exit.FOUND))


async def _adopt(
    ctx: click.Context, preset: Preset, *, take: bool
) -> tuple[FindingList, int, list[tuple[Finding, str]]]:
    settings = load_settings(ctx)
    _, chosen = choose_connection(ctx, settings)
    fields = ID_FIELDS[preset]
    theirs = chosen.model_copy(
        update={
            "salesforce": chosen.salesforce.model_copy(update={"id_field": fields.salesforce}),
            "netsuite": chosen.netsuite.model_copy(update={"id_field": fields.netsuite}),
        }
    )
    found, linked = FindingList(), 0
    refused: list[tuple[Finding, str]] = []
    async with (
        session(ctx, settings, owner=take) as connection,
        connect(theirs, connection.store, SystemClock()) as source,
    ):
        adoption = Adoption(connection, source, preset.value)
        async for batch in adoption.batches():
            found.add(batch)
            if take:
                taken = await adoption.take_over(batch, by=person())
                linked += len(taken.linked)
                refused += taken.refused
    return found, linked, refused


def _refusal(finding: Finding, why: str) -> dict[str, object]:
    return {
        "entity": finding.entity,
        "salesforce_id": finding.salesforce_id,
        "netsuite_id": finding.netsuite_id,
        "why": why,
    }
