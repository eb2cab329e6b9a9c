"""`plan`: a dry run over all contacts, in counts and as a list."""

from __future__ import annotations

import asyncio
from collections import Counter

import click

from twinbook.cli.context import json_option, load_settings, print_json
from twinbook.cli.session import session
from twinbook.cli.terminal import console, say
from twinbook.domain.plan import OutcomeKind
from twinbook.domain.reasons import CATALOGUE, Reason
from twinbook.domain.why import sentence_of
from twinbook.engine.insight.preview import Foreseen, Preview

WHAT = {
    OutcomeKind.CREATED: "would be created in NetSuite",
    OutcomeKind.ADOPTED: "would be linked with a NetSuite contact that exists",
    OutcomeKind.UPDATED: "would be updated",
    OutcomeKind.UNCHANGED: "are in step already",
}
Counts = Counter[tuple[OutcomeKind, Reason | None]]


@click.command()
@click.option("--list", "as_list", is_flag=True, help="List every contact, not only the counts.")
@click.option("--reason", help="List only contacts with this outcome or reason, such as created or NO_EMAIL.")
@json_option
@click.pass_context
def plan(ctx: click.Context, as_list: bool, reason: str | None, as_json: bool) -> None:
    """Show what would happen to every contact. Nothing is written, neither to the systems nor to the store."""
    wanted = reason.casefold() if reason else None
    counts, listed = asyncio.run(_plan(ctx, keep=as_list or as_json or wanted is not None, wanted=wanted))
    if as_json:
        print_json(
            {
                "counts": [
                    {"outcome": kind, "reason": why, "number": number}
                    for (kind, why), number in counts.most_common()
                ],
                "contacts": [_row(item) for item in listed],
            }
        )
        return
    _print_counts(counts)
    for item in listed:
        say(
            f"{item.salesforce_id}  {item.plan.outcome.value:<9} {item.plan.reason or '':<22} "
            f"{item.name} <{item.email or '-'}>  {sentence_of(item.plan)}"
        )


async def _plan(ctx: click.Context, *, keep: bool, wanted: str | None) -> tuple[Counts, list[Foreseen]]:
    counts: Counts = Counter()
    listed: list[Foreseen] = []
    async with session(ctx, load_settings(ctx)) as connection:
        async for item in Preview(connection).contacts():
            counts[item.plan.outcome, item.plan.reason] += 1
            names = {item.plan.outcome.value, (item.plan.reason or "").casefold()}
            if keep and (wanted is None or wanted in names):
                listed.append(item)
    return counts, listed


def _row(item: Foreseen) -> dict[str, object]:
    return {
        "salesforce_id": item.salesforce_id,
        "name": item.name,
        "email": item.email,
        "account": item.account,
        "outcome": item.plan.outcome,
        "reason": item.plan.reason,
        "netsuite_id": item.plan.counterpart_id,
        "why": sentence_of(item.plan),
        "choices": item.plan.choices,
        "changes": dict(item.plan.netsuite_changes),
    }


def _print_counts(counts: Counts) -> None:
    from rich.table import Table

    table = Table("number", "outcome", "reason", "what it means")
    for (kind, reason), number in counts.most_common():
        table.add_row(
            str(number),
            kind.value,
            reason or "",
            WHAT.get(kind) or (CATALOGUE[reason].meaning if reason else ""),
        )
    console().print(table)
    say(f"{counts.total()} contacts. Nothing was written.")
