"""`explain`: why a contact is, or is not, on the other side."""

from __future__ import annotations

import asyncio

import click

from twinbook.cli.context import json_option, load_settings, print_json, when
from twinbook.cli.exits import Exit, Problem
from twinbook.cli.session import session
from twinbook.cli.terminal import say
from twinbook.domain.plan import AccountPlan, ContactPlan, FieldVerdict
from twinbook.domain.why import field_sentence, sentence, sentence_of
from twinbook.engine.insight.explain import Explainer, Explanation, Remembered, origin
from twinbook.store.journal import Change


@click.command()
@click.argument("contact", metavar="ID_OR_EMAIL")
@json_option
@click.pass_context
def explain(ctx: click.Context, contact: str, as_json: bool) -> None:
    """Why a contact is, or is not, on the other side: the rules that were looked at and what they saw, the fields that
    differ, and its history. Takes a Salesforce id, a NetSuite id or an email; or a Salesforce account id, to see
    its gate."""
    found = asyncio.run(_explain(ctx, contact))
    if not found:
        raise Problem(
            f"No contact is known for {contact!r}: give the id of a Salesforce contact or account (15 or 18 "
            "characters), the id of a NetSuite contact, or an email address.",
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
    stored = item.remembered.outcome
    say(
        f"{item.name or (stored.name if stored else '')}  ({item.salesforce_id or item.netsuite_id})",
        bold=True,
    )
    if item.plan is not None:
        _print_plan(item.plan)
    elif stored is not None:
        if item.unreachable:
            say(f"  The systems could not be asked just now ({item.unreachable}). What was stored:")
        say(f"  {sentence(stored.kind, stored.reason, detail=stored.detail)}")
    _print_memory(item.remembered)


def _print_plan(plan: ContactPlan | AccountPlan) -> None:
    say(f"  {sentence_of(plan)}")
    say("\n  Rules, in the order they are looked at:")
    for step in plan.trace:
        saw = ", ".join(f"{key}: {value}" for key, value in step.saw)
        say(f"    {'yes' if step.answer else 'no':<4}{step.question}{f'   [{saw}]' if saw else ''}")
    decisions = plan.decisions if isinstance(plan, ContactPlan) else ()
    different = [decision for decision in decisions if decision.verdict is not FieldVerdict.SAME]
    if different:
        say("\n  Fields that differ:")
    for decision in different:
        say(f"    {field_sentence(decision)}")


def _print_memory(remembered: Remembered) -> None:
    if remembered.queued is not None:
        state = (
            "is being worked on"
            if remembered.queued.claimed
            else f"is due at {when(remembered.queued.due_at)}"
        )
        say(
            f"\n  In the queue: it {state} ({remembered.queued.cause}, {remembered.queued.attempts} tries failed)."
        )
    if remembered.incident is not None:
        say(
            f"\n  Open error #{remembered.incident.id}: {remembered.incident.code}: {remembered.incident.message}"
        )
        say(f"  What to do: {remembered.incident.remedy}")
    if remembered.outcome is not None:
        last = remembered.outcome
        say(f"\n  Last look {when(last.looked_at)}: {sentence(last.kind, last.reason, detail=last.detail)}")
        say(f"  Last write {when(last.written_at)}{f': {last.written}' if last.written else ''}.")
    if remembered.history:
        say("\n  History, newest first:")
        for entry in remembered.history:
            say(f"    #{entry.id}  {when(entry.at)}  {entry.what} by {entry.who}: {entry.why}")
            for change in entry.changes:
                say(f"        {_line(change)}")
    say()


def _line(change: Change) -> str:
    written = f"{change.side.value} {change.field}: {change.before!r} -> {change.after!r}"
    told = origin(change)
    return f"{written}   [{told}; noticed {when(change.seen_at)}]" if told else written
