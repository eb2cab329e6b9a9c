"""`plan`: a dry run over all accounts and contacts, in counts and as a list."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import click

from twinbook.cli.context import json_option, load_settings, print_json
from twinbook.cli.plan_change import show_change
from twinbook.cli.session import session
from twinbook.cli.terminal import console, say
from twinbook.domain.plan import AccountPlan, ContactPlan
from twinbook.domain.records import Side
from twinbook.domain.why import sentence_of
from twinbook.engine.connection import ACCOUNTS, CONTACTS, NETSUITE_CONTACTS, Source
from twinbook.engine.insight.forecast import Cell, Forecast, meaning_of
from twinbook.engine.insight.preview import Foreseen, ForeseenAccount, Preview, Seen

TITLES = {
    ACCOUNTS: "Accounts",
    CONTACTS: "Contacts of Salesforce",
    NETSUITE_CONTACTS: "Contacts of NetSuite only",
}


@dataclass(slots=True)
class Found:
    """What a dry run has shown. Only what was asked for is kept: there may be very many."""

    forecast: Forecast = field(default_factory=Forecast)
    listed_accounts: list[ForeseenAccount] = field(default_factory=list)
    listed: list[Foreseen] = field(default_factory=list)

    def keep(self, item: Seen) -> None:
        if isinstance(item, Foreseen):
            self.listed.append(item)
        else:
            self.listed_accounts.append(item)


@click.command()
@click.option("--list", "as_list", is_flag=True, help="List every account and contact, not only the counts.")
@click.option("--reason", help="List only those with this outcome or reason, such as created or NO_EMAIL.")
@click.option(
    "--against",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Another settings file: for which contacts would it come to something else?",
)
@click.option(
    "--set",
    "assigned",
    multiple=True,
    metavar="TABLE.KEY=VALUE",
    help="The same for single settings of the connection, such as contacts.create=false.",
)
@json_option
@click.pass_context
def plan(
    ctx: click.Context,
    as_list: bool,
    reason: str | None,
    against: Path | None,
    assigned: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show what would happen to every account and contact, those of NetSuite included where the direction leads to
    Salesforce. Nothing is written, neither to the systems nor to the store.

    With --against or --set: which contacts a change of settings would concern, and how. All contacts are planned under
    the present settings and under the changed ones.
    """
    if against or assigned:
        asyncio.run(show_change(ctx, against, assigned, everything=as_list, as_json=as_json))
        return
    wanted = reason.casefold() if reason else None
    found = asyncio.run(_plan(ctx, keep=as_list or as_json or wanted is not None, wanted=wanted))
    if as_json:
        print_json(_as_json(found))
        return
    _print_counts(found)
    for account in found.listed_accounts:
        say(_line(account, account.name))
    for item in found.listed:
        say(_line(item, f"{item.name} <{item.email or '-'}>"))


async def _plan(ctx: click.Context, *, keep: bool, wanted: str | None) -> Found:
    found = Found()

    def kept(plan: ContactPlan | AccountPlan) -> bool:
        return keep and (wanted is None or wanted in {plan.outcome.value, (plan.reason or "").casefold()})

    async with session(ctx, load_settings(ctx)) as connection:
        for _, items in Preview(connection).lists():
            async for item in items:
                found.forecast.take(item)
                if kept(item.plan):
                    found.keep(item)
    return found


def _line(item: Foreseen | ForeseenAccount, who: str) -> str:
    plan = item.plan
    return f"{item.key.id:<18}  {plan.outcome.value:<9} {plan.reason or '':<22} {who}  {sentence_of(plan)}"


def _as_json(found: Found) -> dict[str, object]:
    return {
        "counts": [
            {"side": part.side, **row}
            for part in (CONTACTS, NETSUITE_CONTACTS)
            for row in _count_rows(found.forecast.of(part))
        ],
        "contacts": [_row(item) for item in found.listed],
        "account_counts": _count_rows(found.forecast.of(ACCOUNTS)),
        "accounts": [_account_row(item) for item in found.listed_accounts],
        "released_by_accounts": found.forecast.released,
    }


def _count_rows(counts: Counter[Cell]) -> list[dict[str, object]]:
    return [
        {"outcome": kind, "reason": why, "number": number} for (kind, why), number in counts.most_common()
    ]


def _row(item: Foreseen) -> dict[str, object]:
    counterpart = item.plan.counterpart_id
    of_netsuite = item.key.side is Side.NETSUITE
    return {
        "salesforce_id": counterpart if of_netsuite else item.key.id,
        "netsuite_id": item.key.id if of_netsuite else counterpart,
        "name": item.name,
        "email": item.email,
        "account": item.account,
        "outcome": item.plan.outcome,
        "reason": item.plan.reason,
        "why": sentence_of(item.plan),
        "choices": item.plan.choices,
        "changes": dict(item.plan.netsuite_changes),
        "salesforce_changes": dict(item.plan.salesforce_changes),
    }


def _account_row(item: ForeseenAccount) -> dict[str, object]:
    return {
        "salesforce_id": item.key.id,
        "netsuite_id": item.plan.counterpart_id,
        "name": item.name,
        "outcome": item.plan.outcome,
        "reason": item.plan.reason,
        "trigger": item.plan.trigger,
        "why": sentence_of(item.plan),
        "choices": item.plan.choices,
        "changes": dict(item.plan.netsuite_changes),
        "salesforce_changes": dict(item.plan.salesforce_changes),
    }


def _print_counts(found: Found) -> None:
    forecast = found.forecast
    for part, title in TITLES.items():
        if part is ACCOUNTS or forecast.of(part):
            _print_table(title, part, forecast.of(part))
    if forecast.released:
        waiting = f"{forecast.released} of the contacts that wait for their account"
        say(f"{waiting} are looked at again as soon as it is linked.")
    accounts = forecast.of(ACCOUNTS).total()
    contacts = forecast.of(CONTACTS).total() + forecast.of(NETSUITE_CONTACTS).total()
    say(f"{accounts} accounts, {contacts} contacts. Nothing was written.")


def _print_table(title: str, part: Source, counts: Counter[Cell]) -> None:
    from rich.table import Table

    table = Table("number", "outcome", "reason", "what it means", title=title, title_justify="left")
    for (kind, reason), number in counts.most_common():
        table.add_row(str(number), kind.value, reason or "", meaning_of(part, (kind, reason)))
    console().print(table)
