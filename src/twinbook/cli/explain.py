"""`explain`: why a contact is, or is not, in NetSuite."""

from __future__ import annotations

import asyncio

import click

from twinbook.cli.context import json_option, load_settings, print_json, when
from twinbook.cli.exits import Exit, Problem
from twinbook.cli.session import session
from twinbook.domain.plan import FieldDecision, FieldVerdict
from twinbook.domain.reasons import CATALOGUE
from twinbook.domain.why import sentence_of
from twinbook.engine.explain import Explainer, Explanation, Remembered


@click.command()
@click.argument("contact", metavar="ID_OR_EMAIL")
@json_option
@click.pass_context
def explain(ctx: click.Context, contact: str, as_json: bool) -> None:
    """Why a contact is, or is not, in NetSuite: the rules that were looked at and what they saw, the fields that
    differ, and its history. Takes a Salesforce id, a NetSuite id or an email."""
    found = asyncio.run(_explain(ctx, contact))
    if not found:
        raise Problem(
            f"No contact is known for {contact!r}: give a Salesforce contact id (15 or 18 characters), the NetSuite id "
            "of a linked contact, or an email address.",
            Exit.FOUND,
        )
    if as_json:
        print_json(found)
        return
    for item in found:
        _print(item)


async def _explain(ctx: click.Context, contact: str) -> list[Explanation]:
    async with session(ctx, load_settings(ctx)) as connection:
        return await Explainer(connection).explain(contact)


def _print(item: Explanation) -> None:
    contact = item.view.salesforce if item.view else None
    stored = item.remembered.outcome
    name = stored.name if stored else ""
    if contact is not None:
        name = " ".join(str(contact.fields.get(part) or "") for part in ("FirstName", "LastName")).strip()
    click.secho(f"{name}  ({item.salesforce_id})", bold=True)
    if item.plan is not None:
        click.echo(f"  {sentence_of(item.plan)}")
        if item.plan.reason is not None:
            click.echo(f"  What to do: {CATALOGUE[item.plan.reason].remedy}")
        click.echo("\n  Rules, in the order they are looked at:")
        for step in item.plan.trace:
            saw = ", ".join(f"{key} = {value}" for key, value in step.saw)
            click.echo(
                f"    {'yes' if step.answer else 'no ':<4}{step.question}{f'   [{saw}]' if saw else ''}"
            )
        _print_fields([item_ for item_ in item.plan.decisions if item_.verdict is not FieldVerdict.SAME])
    elif item.unreachable:
        click.echo(
            f"  The systems could not be asked just now ({item.unreachable}); this is what was stored:"
        )
        if stored is not None:
            click.echo(f"  {stored.kind.value} {stored.reason or ''} {stored.detail}")
    _print_memory(item.remembered)


def _print_fields(decisions: list[FieldDecision]) -> None:
    if not decisions:
        return
    click.echo("\n  Fields that differ:")
    for decision in decisions:
        click.echo(
            f"    {decision.row:<34} Salesforce {decision.salesforce!r}, NetSuite {decision.netsuite!r}, "
            f"agreed {decision.agreed!r}: {decision.verdict.value} {decision.why}"
        )


def _print_memory(remembered: Remembered) -> None:
    if remembered.queued is not None:
        state = (
            "is being worked on"
            if remembered.queued.claimed
            else f"is due at {when(remembered.queued.due_at)}"
        )
        click.echo(
            f"\n  In the queue: it {state} ({remembered.queued.cause}, {remembered.queued.attempts} tries failed)."
        )
    if remembered.incident is not None:
        click.echo(
            f"\n  Open error #{remembered.incident.id}: {remembered.incident.code}: {remembered.incident.message}"
        )
        click.echo(f"  What to do: {remembered.incident.remedy}")
    if remembered.outcome is not None:
        click.echo(
            f"\n  Last look {when(remembered.outcome.looked_at)}: {remembered.outcome.kind.value}; "
            f"last write {when(remembered.outcome.written_at)}."
        )
    if remembered.history:
        click.echo("\n  History, newest first:")
        for entry in remembered.history:
            click.echo(f"    {when(entry.at)}  {entry.what} by {entry.who}: {entry.why}")
            for change in entry.changes:
                click.echo(
                    f"        {change.side.value} {change.field}: {change.before!r} -> {change.after!r}"
                )
    click.echo()
