"""What the pure planner costs: microseconds for one contact, with the default map and about 100 described fields.

A create is planned twice, before and after NetSuite was searched for a counterpart; every other contact once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from figures import Table, publish, spread
from twinbook.domain.agreement import agreed_after
from twinbook.domain.canonical import Kind, canonical
from twinbook.domain.mapping import default_mapping
from twinbook.domain.plan import Candidate, ContactView, Gate
from twinbook.domain.planner import plan_contact
from twinbook.domain.policy import ContactPolicy
from twinbook.domain.ports import FieldMeta
from twinbook.domain.records import Link, LinkState, NetSuiteContact, SalesforceContact

REPEATS, ROUNDS = 300, 25

SALESFORCE = {
    "Salutation": "Ms.",
    "FirstName": "Ada",
    "MiddleName": None,
    "LastName": "Lovelace",
    "Title": "Analyst",
    "Email": "ada@company.example",
    "Phone": "+1 555 0100",
    "MobilePhone": "(555) 0101",
    "HomePhone": None,
    "OtherPhone": None,
    "Fax": None,
    "Description": "Met at the fair",
    "MailingStreet": "1 Engine Street\nFloor 2",
    "MailingCity": "Springfield",
    "MailingState": "Illinois",
    "MailingPostalCode": "62701",
    "MailingCountry": "United States",
}
SCHEMA = {
    name: FieldMeta(name, "string", 255)
    for name in (*default_mapping().salesforce_fields, *default_mapping().netsuite_fields)
} | {f"Custom{number}__c": FieldMeta(f"Custom{number}__c", "string", 255) for number in range(60)}
POLICY = ContactPolicy(default_mapping(), salesforce_schema=SCHEMA, netsuite_schema=SCHEMA)
GATE = Gate("001000000000001AAA", "Company", "17", "1")
CONTACT = SalesforceContact(
    "003000000000001AAA",
    SALESFORCE,
    "2026-01-01T00:00:00Z",
    account_id=GATE.account_id,
    account_name=GATE.account_name,
    account_customer_id=GATE.customer_id,
)


def views() -> dict[str, ContactView]:
    """A contact at each of the stations that many pass."""
    new = ContactView(GATE, CONTACT)
    created = plan_contact(new, POLICY)
    fields = {**created.netsuite_changes, "subsidiary": "1", "isInactive": False}
    netsuite = NetSuiteContact(
        "42",
        fields,
        "v1",
        name=str(fields["entityId"]),
        email="ada@company.example",
        company_id="17",
        salesforce_id=CONTACT.id,
    )
    agreed = agreed_after(created, POLICY.mapping, CONTACT, netsuite)
    linked = replace(CONTACT, netsuite_id="42")
    link = Link(CONTACT.id, "42", LinkState.LINKED, f"SFC_{CONTACT.id}", agreed)
    pair = ContactView(GATE, linked, netsuite, link)
    edited = replace(linked, fields={**SALESFORCE, "Title": "Countess"})
    stranger = replace(netsuite, salesforce_id=None)
    found = {
        "create": new,
        "adopt": replace(new, candidates=(Candidate(stranger),)),
        "update of one field": replace(pair, salesforce=edited),
        "unchanged": pair,
        "without an email": replace(new, salesforce=replace(CONTACT, fields={**SALESFORCE, "Email": None})),
    }
    outcomes = [plan_contact(view, POLICY).outcome.value for view in found.values()]
    assert outcomes == ["created", "adopted", "updated", "unchanged", "skipped"], outcomes
    return found


def main() -> None:
    found = views()
    netsuite = found["unchanged"].netsuite
    assert netsuite is not None
    created = plan_contact(found["create"], POLICY)
    measured: dict[str, Callable[[], object]] = {
        f"plan: {name}": partial(plan_contact, view, POLICY) for name, view in found.items()
    }
    measured |= {
        "agreed values after a create": partial(agreed_after, created, POLICY.mapping, CONTACT, netsuite),
        "canonical value of a phone": partial(canonical, Kind.PHONE, "+1 (555) 010-0123"),
        "canonical value of a text": partial(canonical, Kind.TEXT, "Lovelace"),
    }
    samples = {name: _microseconds(work) for name, work in measured.items()}
    rows = tuple((name, spread(found, 1)) for name, found in samples.items())
    title = f"Planning, µs (median and range of {ROUNDS} rounds of {REPEATS})"
    publish("planner", [Table(title, ("what", "median (min-max)"), rows)], samples)


def _microseconds(work: Callable[[], object]) -> list[float]:
    found = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(REPEATS):
            work()
        found.append((time.process_time() - began) / REPEATS * 1_000_000)
    return found


if __name__ == "__main__":
    main()
