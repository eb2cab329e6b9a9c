"""The demo's scenario: what a user would do in Salesforce, and what must then be true in NetSuite."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from twinbook.cli.demo.dashboard import visit
from twinbook.cli.demo.stage import Door, Stage
from twinbook.domain.ids import to_18
from twinbook.domain.records import Entity, Key, LinkState, Side
from twinbook.settings import ConnectionSettings
from twinbook.store import links, outcomes
from twinbook.store.database import Tx

LOOK_EVERY = 0.02
DEADLINE = 30.0
ROLE = "Decision Maker"
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """One step: what was done, what was expected, whether it came true, and how long it took."""

    step: str
    expected: str
    good: bool
    seconds: float
    found: str = ""


@dataclass(slots=True)
class Scenario:
    """Plays the steps in order. Later steps use what earlier ones made."""

    stage: Stage
    console: Console
    results: list[Result] = field(default_factory=list)
    _account: str = ""
    _customer: str = ""
    _contact: str = ""
    _made: int = 0

    async def play(self) -> None:
        """Every step but the role filter, which needs other settings."""
        await self._prepare()
        for step in (
            self._create,
            self._edit,
            self._change_email,
            self._prospect,
            self._match_by_email,
            self._name_clash,
            self._delete,
        ):
            await step()

    def with_role_filter(self, settings: ConnectionSettings) -> ConnectionSettings:
        """The settings with a role filter: only decision makers go to NetSuite."""
        contacts = settings.contacts.model_copy(update={"role_filter": (ROLE,)})
        return settings.model_copy(update={"contacts": contacts})

    async def play_role_filter(self) -> None:
        contact = await self._new_contact("Rolf", "Filter")
        await self._check(
            "a contact without the wanted role",
            "stays out, reason ROLE_FILTER",
            lambda: self._stays_out(contact, "ROLE_FILTER"),
        )
        role = {"AccountId": self._account, "ContactId": contact, "Role": ROLE}
        await self.stage.salesforce.insert("AccountContactRole", role)
        await self._check(
            "the contact becomes Decision Maker", "arrives in NetSuite", lambda: self._arrived(contact)
        )

    async def visit_dashboard(self, door: Door) -> None:
        """One visit: the link works once."""
        began = time.monotonic()
        problem = await visit(door, "another.ada@northwind.example")
        step, expected = "open the dashboard by its link", "healthy, and Contacts shows the namesake"
        self.results.append(Result(step, expected, not problem, time.monotonic() - began, problem))

    def report(self) -> bool:
        """Print the table; whether every step was good."""
        table = Table("", "step", "expected", "seconds", "found")
        for item in self.results:
            mark = "[green]✓[/green]" if item.good else "[red]✗[/red]"
            table.add_row(
                mark, item.step, item.expected, f"{item.seconds:.2f}", "" if item.good else item.found
            )
        self.console.print(table)
        bad = sum(not item.good for item in self.results)
        self.console.print(f"{len(self.results) - bad} passed, {bad} failed")
        return bad == 0

    async def _prepare(self) -> None:
        """An account and customer of its own, linked by hand, so that the steps do not depend on the data set."""
        self._customer = await self.stage.netsuite.insert(
            "customer", {"companyName": "Northwind Lanterns", "subsidiary": {"id": "1"}}
        )
        self._account = await self.stage.salesforce.insert(
            "Account", {"Name": "Northwind Lanterns", "NetSuite_Id__c": self._customer}
        )

    async def _create(self) -> None:
        self._contact = await self._new_contact("Ada", "Lovelace", Title="Analyst")
        await self._check(
            "create a contact of a synced account",
            "in NetSuite with both ids stored",
            lambda: self._arrived(self._contact, firstName="Ada", lastName="Lovelace", title="Analyst"),
        )

    async def _edit(self) -> None:
        await self.stage.salesforce.update(
            "Contact", self._contact, {"Title": "Countess", "Phone": "+44 20 7946 0000"}
        )
        await self._check(
            "edit title and phone",
            "NetSuite shows both",
            lambda: self._arrived(self._contact, title="Countess", phone="+44 20 7946 0000"),
        )

    async def _change_email(self) -> None:
        before = (await self._salesforce(self._contact))["NetSuite_Id__c"]
        await self.stage.salesforce.update("Contact", self._contact, {"Email": "ada.king@northwind.example"})

        async def same_contact() -> str:
            problem = await self._arrived(self._contact, email="ada.king@northwind.example")
            now = (await self._salesforce(self._contact))["NetSuite_Id__c"]
            return problem or ("" if now == before else f"another NetSuite contact: {now}")

        await self._check("change the email", "the same NetSuite contact has it", same_contact)

    async def _prospect(self) -> None:
        account = await self.stage.salesforce.insert("Account", {"Name": "Prospect & Daughters"})
        opportunity = await self.stage.salesforce.insert(
            "Opportunity",
            {
                "Name": "First order",
                "AccountId": account,
                "StageName": "Prospecting",
                "CloseDate": "2030-01-31",
            },
        )
        people = [
            await self._new_contact(name, "Prospect", AccountId=account)
            for name in ("Grace", "Edsger", "Barbara")
        ]

        async def all_wait() -> str:
            problems = [await self._stays_out(contact, "ACCOUNT_NOT_SYNCED") for contact in people]
            return next((problem for problem in problems if problem), "")

        await self._check("create contacts of a prospect", "they wait, reason ACCOUNT_NOT_SYNCED", all_wait)
        await self.stage.salesforce.update("Opportunity", opportunity, {"StageName": "Closed Won"})

        async def all_arrive() -> str:
            problems = [await self._arrived(contact) for contact in people]
            return next((problem for problem in problems if problem), "")

        await self._check("win the prospect's opportunity", "customer made, all contacts arrive", all_arrive)

    async def _match_by_email(self) -> None:
        known = await self.stage.netsuite.insert(
            "contact",
            {
                "firstName": "Linus",
                "lastName": "Old",
                "email": "linus@northwind.example",
                "company": {"id": self._customer},
                "subsidiary": {"id": "1"},
            },
        )
        contact = await self._new_contact("Linus", "New", Email="Linus@Northwind.example")

        async def linked() -> str:
            problem = await self._arrived(contact, lastName="New")
            there = (await self._salesforce(contact))["NetSuite_Id__c"]
            return problem or ("" if there == known else f"a second contact was made: {there}")

        await self._check(
            "create a contact that NetSuite has by email", "linked and updated, not doubled", linked
        )

    async def _name_clash(self) -> None:
        contact = await self._new_contact("Ada", "Lovelace", Email="another.ada@northwind.example")

        async def distinct() -> str:
            problem = await self._arrived(contact, firstName="Ada", lastName="Lovelace")
            if problem:
                return problem
            name = str((await self._netsuite(contact)).get("entityId"))
            return "" if name.startswith("Ada Lovelace (003") else f"its name is {name}"

        await self._check("create a namesake in the same company", "its own contact, distinct name", distinct)

    async def _delete(self) -> None:
        netsuite_id = (await self._salesforce(self._contact))["NetSuite_Id__c"]
        await self.stage.salesforce.delete("Contact", self._contact)

        async def kept_and_closed() -> str:
            def read(tx: Tx) -> bool:
                link = links.by_salesforce(tx, Entity.CONTACT, [self._contact]).get(self._contact)
                return link is not None and link.state is LinkState.CLOSED

            if not await self.stage.store.read(read):
                return "the link is still open"
            there = await self.stage.netsuite.read("contact", netsuite_id)
            return "" if there.get("id") == netsuite_id else "the NetSuite contact is gone"

        await self._check(
            "delete the contact in Salesforce", "NetSuite keeps it, the link is closed", kept_and_closed
        )

    async def _new_contact(self, first: str, last: str, **fields: Any) -> str:
        self._made += 1
        values = {
            "FirstName": first,
            "LastName": last,
            "Email": f"{first}.{last}.{self._made}@northwind.example".lower(),
            "AccountId": self._account,
            **fields,
        }
        return to_18(await self.stage.salesforce.insert("Contact", values))

    async def _check(self, step: str, expected: str, look: Callable[[], Awaitable[str]]) -> None:
        """Look until it is true or the deadline is past; `look` says what is not yet so, "" when all is."""
        began, problem = time.monotonic(), "never looked at"
        while time.monotonic() - began < DEADLINE:
            problem = await look()
            if not problem:
                break
            await asyncio.sleep(LOOK_EVERY)
        self.results.append(Result(step, expected, not problem, time.monotonic() - began, problem))

    async def _arrived(self, contact: str, **wanted: str) -> str:
        """What is missing until the contact stands in NetSuite with these values and both ids."""
        there = await self._netsuite(contact)
        if not there:
            return "it has no NetSuite id in Salesforce"
        if there.get("custentity_twinbook_sf_id") != contact:
            return "its Salesforce id does not stand in NetSuite"
        wrong = [name for name, value in wanted.items() if there.get(name) != value]
        return f"{wrong[0]} is {there.get(wrong[0])!r}" if wrong else ""

    async def _stays_out(self, contact: str, reason: str) -> str:
        key = Key(Entity.CONTACT, Side.SALESFORCE, contact)
        outcome = await self.stage.store.read(lambda tx: outcomes.find(tx, key))
        if outcome is None or outcome.reason is None:
            return "it has no outcome yet"
        if outcome.reason.value != reason:
            return f"its reason is {outcome.reason.value}"
        found = await self.stage.netsuite.records("contact", {"custentity_twinbook_sf_id": contact})
        return "it is in NetSuite" if found else ""

    async def _salesforce(self, contact: str) -> Record:
        return await self.stage.salesforce.read("Contact", contact)

    async def _netsuite(self, contact: str) -> Record:
        netsuite_id = (await self._salesforce(contact)).get("NetSuite_Id__c")
        return await self.stage.netsuite.read("contact", netsuite_id) if netsuite_id else {}
