"""Short ways to say what both sides hold, for tests of the planner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from twinbook.domain.agreement import stored
from twinbook.domain.ids import contact_key, to_18
from twinbook.domain.mapping import COMPANY_ROW, ContactMapping, default_mapping
from twinbook.domain.merge import Agreement
from twinbook.domain.plan import Candidate, ContactPlan, ContactView, Gate, SalesforceCandidate
from twinbook.domain.policy import ContactPolicy
from twinbook.domain.records import (
    Link,
    LinkState,
    NetSuiteContact,
    SalesforceContact,
    Side,
    Value,
)

ADA = to_18("003Kx00000AbCdE")
BOB = to_18("003Kx00000AbCdF")
ACCOUNT = to_18("001Kx00000AbCdE")
MAPPING = default_mapping()
OPEN_GATE = Gate(ACCOUNT, "Acme", "660", "1")
CLOSED_GATE = Gate(ACCOUNT, "Acme")

PERSON: Mapping[str, Value] = {"FirstName": "Ada", "LastName": "Lovelace", "Email": "ada@acme.example"}
TWIN: Mapping[str, Value] = {
    "firstName": "Ada",
    "lastName": "Lovelace",
    "email": "ada@acme.example",
    "subsidiary": "1",
}


def salesforce(**overrides: Any) -> SalesforceContact:
    """Ada at Acme. `fields` are added to hers; every mapped Salesforce field is readable."""
    fields = dict.fromkeys(MAPPING.salesforce_fields) | PERSON | overrides.pop("fields", {})
    known: dict[str, Any] = {
        "id": ADA,
        "version": "1",
        "account_id": ACCOUNT,
        "account_name": "Acme",
        "account_customer_id": "660",
    }
    return SalesforceContact(fields=fields, **(known | overrides))


def netsuite(id: str = "4711", **overrides: Any) -> NetSuiteContact:  # noqa: A002
    """A NetSuite contact of Ada's at Acme's customer, not linked."""
    fields = dict(TWIN) | overrides.pop("fields", {})
    known: dict[str, Any] = {
        "version": "1",
        "name": "Ada Lovelace",
        "email": fields.get("email"),
        "company_id": "660",
    }
    return NetSuiteContact(id=id, fields=fields, **(known | overrides))


def candidate(id: str = "4711", linked_to: str | None = None, **overrides: Any) -> Candidate:  # noqa: A002
    return Candidate(netsuite(id, **overrides), linked_to)


def salesforce_candidate(linked_to: str | None = None, **overrides: Any) -> SalesforceCandidate:
    return SalesforceCandidate(salesforce(**overrides), linked_to)


def agreed_on(fields: Mapping[str, Value], mapping: ContactMapping = MAPPING) -> dict[str, Value]:
    """What is agreed when both sides show these Salesforce fields, at customer 660."""
    agreements = {COMPANY_ROW.key: Agreement("660", "660")}
    for row in mapping.rows:
        value = row.compared(Side.SALESFORCE, fields.get(row.salesforce))
        agreements[row.key] = Agreement(value, value)
    return dict(stored(agreements))


def link(netsuite_id: str | None = "4711", **overrides: Any) -> Link:
    known: dict[str, Any] = {
        "salesforce_id": ADA,
        "state": LinkState.LINKED,
        "correlation_id": contact_key(ADA),
        "agreed": agreed_on(PERSON),
    }
    return Link(netsuite_id=netsuite_id, **(known | overrides))


def view(**overrides: Any) -> ContactView:
    """Ada in Salesforce, at a linked account, with nothing in NetSuite."""
    known: dict[str, Any] = {"gate": OPEN_GATE, "salesforce": salesforce()}
    return ContactView(**(known | overrides))


def linked_view(**overrides: Any) -> ContactView:
    """Ada on both sides, linked and in step."""
    known: dict[str, Any] = {
        "gate": OPEN_GATE,
        "salesforce": salesforce(netsuite_id="4711"),
        "netsuite": netsuite(salesforce_id=ADA),
        "link": link(),
    }
    return ContactView(**(known | overrides))


def policy(**overrides: Any) -> ContactPolicy:
    return ContactPolicy(**({"mapping": MAPPING} | overrides))


def rules_seen(plan: ContactPlan) -> list[str]:
    return [step.rule for step in plan.trace]


def decided_by(plan: ContactPlan) -> str:
    """The last row that was looked at: rows after the one that decides are not looked at."""
    return plan.trace[-1].rule


def verdicts(plan: ContactPlan) -> dict[str, str]:
    return {decision.row: decision.verdict for decision in plan.decisions}


def paused(seen: ContactView) -> ContactView:
    return replace(seen, paused=True)
