"""Every naughty text through every mapped text field, both ways, over the real protocols: it arrives as it is, or it is
refused with a reason that names the field and what to do. Nothing else may come of it, and nobody else may suffer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tests.hard.naughty import NAUGHTY
from tests.scenario.product import Product, backfill, outcome

from twinbook.domain.canonical import Kind, canonical
from twinbook.domain.mapping import MappingRow, default_mapping
from twinbook.domain.plan import OutcomeKind
from twinbook.domain.ports import ContactQuery
from twinbook.domain.records import Entity, Key, NetSuiteContact, Side, Value
from twinbook.engine.connection import Connection
from twinbook.store import incidents
from twinbook_sandbox.core.control import SiteError

ROWS = [row for row in default_mapping().rows if row.kind is not Kind.EMAIL]
WHOLE_LIST = {"LastName", "Title", "Phone", "Description", "MailingStreet", "MailingState", "MailingCountry"}
SAMPLE = 4
"""Other fields are of a kind with one of these: each gets every fourth text, and together they get all."""


@dataclass(frozen=True)
class Case:
    """A contact with one naughty text in one field."""

    row: MappingRow
    text: str
    id: str

    def __str__(self) -> str:
        return f"{self.row.salesforce} = {self.text[:60]!r}"


async def test_from_salesforce_and_back(p: Product) -> None:
    p.configure("contacts", direction="both")
    account, _ = await p.linked_account()
    cases = list(_in_salesforce(p, account))
    assert len(cases) > len(NAUGHTY) * 6, "the org itself refuses few of them"
    async with p.connected() as connection:
        await backfill(connection)
        there = await _counterparts(p, connection, cases)
        wrong = [await _wrong_in_netsuite(p, connection, case, there) for case in cases]
        assert list(filter(None, wrong)) == []
        edited = list(_edited_in_netsuite(p, cases, there))
        assert len(edited) > len(NAUGHTY) * 5, "the account itself refuses few of them"
        await backfill(connection)
        again = await _counterparts(p, connection, edited)
        values = [again[case.id].fields.get(case.row.netsuite) for case in edited]
        wrong = [
            await _wrong_in_salesforce(p, connection, *each) for each in zip(edited, values, strict=True)
        ]
        assert list(filter(None, wrong)) == []


def _in_salesforce(p: Product, account: str) -> Iterator[Case]:
    """One contact for each text and field, but for what the org itself refuses."""
    for number, (row, text) in enumerate(_chosen()):
        fields = {"FirstName": f"Case{number}", "LastName": "Okafor", "Email": f"c{number}@acme.example"}
        with suppress(SiteError):
            fields |= {row.salesforce: text, "AccountId": account}
            yield Case(row, text, p.sandbox.salesforce.insert("Contact", fields))


def _chosen() -> Iterator[tuple[MappingRow, str]]:
    for offset, row in enumerate(ROWS):
        texts = NAUGHTY if row.salesforce in WHOLE_LIST else NAUGHTY[offset % SAMPLE :: SAMPLE]
        yield from ((row, text) for text in texts)


def _edited_in_netsuite(p: Product, cases: list[Case], there: dict[str, NetSuiteContact]) -> Iterator[Case]:
    """Each linked contact gets the text of another case in its field, as a user writes it in NetSuite."""
    for case in cases:
        text = NAUGHTY[(NAUGHTY.index(case.text) + 7) % len(NAUGHTY)]
        if case.id in there and case.row.netsuite != "address.country":
            with suppress(SiteError):
                p.sandbox.netsuite.update("contact", there[case.id].id, _body(case.row.netsuite, text))
                yield Case(case.row, text, case.id)


def _body(field: str, text: str) -> dict[str, Any]:
    """A text in a field of a NetSuite contact; in an address, a new default line."""
    _, in_address, part = field.partition("address.")
    if not in_address:
        return {field: text}
    address = {"addr1" if part == "street" else part: text, "country": {"id": "DE"}}
    line = {"defaultBilling": True, "defaultShipping": True, "addressBookAddress": address}
    return {"addressBook": {"items": [line]}}


async def _counterparts(p: Product, connection: Connection, cases: list[Case]) -> dict[str, NetSuiteContact]:
    """The NetSuite contacts by the Salesforce ids of their pairs."""
    ids = {p.sandbox.salesforce.read("Contact", case.id)["NetSuite_Id__c"]: case.id for case in cases}
    found = await connection.netsuite.find_contacts(ContactQuery(ids=frozenset(filter(None, ids))))
    return {ids[contact.id]: contact for contact in found}


async def _wrong_in_netsuite(
    p: Product, connection: Connection, case: Case, there: dict[str, NetSuiteContact]
) -> str | None:
    counterpart = there.get(case.id)
    if counterpart is None:
        return await _without_a_good_reason(connection, case)
    here = p.sandbox.salesforce.read("Contact", case.id)[case.row.salesforce]
    return _differing(case, here, counterpart.fields.get(case.row.netsuite))


async def _wrong_in_salesforce(p: Product, connection: Connection, case: Case, theirs: Value) -> str | None:
    here = p.sandbox.salesforce.read("Contact", case.id)[case.row.salesforce]
    problem = _differing(case, here, theirs)
    return problem and (await _without_a_good_reason(connection, case)) and problem


def _differing(case: Case, here: Value, there: Value) -> str | None:
    if canonical(case.row.kind, here) == canonical(case.row.kind, there):
        return None
    return f"{case}: Salesforce {here!r}, NetSuite {there!r}"


async def _without_a_good_reason(connection: Connection, case: Case) -> str | None:
    """What is wrong with the reason of a refusal: it has to name the field and what to do."""
    found = await outcome(connection, case.id)
    if found is None or found.kind is not OutcomeKind.FAILED:
        return f"{case}: {found and found.kind}, and not there"
    key = Key(Entity.CONTACT, Side.SALESFORCE, case.id)
    incident = await connection.store.read(lambda tx: incidents.of_record(tx, key))
    if (
        incident is None
        or not incident.remedy
        or incident.field not in (case.row.salesforce, case.row.netsuite)
    ):
        return f"{case}: {incident}"
    return None
