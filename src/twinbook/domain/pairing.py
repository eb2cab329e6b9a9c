"""Which records belong together by the ids that they bear: how links are found again without a link table.

A record *names* the counterpart whose id it bears. Two records that name each other are a pair, whatever third records
say: that can be true of one partner only. Everything else is reported and left to a person, or to the rules of
matching (behaviour.md 2, row 14), and never guessed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from twinbook.domain.account_writing import facts_of_account
from twinbook.domain.agreement import Agreement, stored
from twinbook.domain.case import facts_of
from twinbook.domain.ids import is_salesforce_id, salesforce_id_of, to_18
from twinbook.domain.mapping import COMPANY_ROW, ContactMapping, FieldMap
from twinbook.domain.merge import Pair, merge
from twinbook.domain.plan import Gate
from twinbook.domain.records import (
    Entity,
    Fields,
    NetSuiteContact,
    NetSuiteCustomer,
    SalesforceAccount,
    SalesforceContact,
    Side,
    display_name,
)
from twinbook.domain.rules import Facts

Record = SalesforceContact | SalesforceAccount | NetSuiteContact | NetSuiteCustomer


class Verdict(StrEnum):
    """What the ids of two records say.

    CONSISTENT     each names the other
    ONE_SIDED      one names the other, and nothing speaks against it; or the record it names is gone
    CONTRADICTORY  they name different partners, or several name the same one
    """

    CONSISTENT = "consistent"
    ONE_SIDED = "one-sided"
    CONTRADICTORY = "contradictory"


@dataclass(frozen=True, slots=True)
class Bearer:
    """A live record with the ids of the other side that it bears: none, one, or (wrongly) several."""

    entity: Entity
    side: Side
    id: str
    label: str
    names: frozenset[str]
    record: Record


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of a pair. An id is None where it is not known; `why` is empty for consistent pairs.

    `known` is true where the link table already holds the pair. `salesforce` and `netsuite` are the records as they
    were read, None where there is none.
    """

    entity: Entity
    verdict: Verdict
    salesforce_id: str | None
    netsuite_id: str | None
    label: str
    why: str = ""
    known: bool = False
    salesforce: Record | None = None
    netsuite: Record | None = None


def bearer(record: Record) -> Bearer:
    """A record of either side as one that bears ids."""
    if isinstance(record, SalesforceContact):
        named = frozenset({record.netsuite_id} if record.netsuite_id else ())
        return Bearer(Entity.CONTACT, Side.SALESFORCE, record.id, display_name(record), named, record)
    if isinstance(record, SalesforceAccount):
        named = frozenset({record.netsuite_id} if record.netsuite_id else ())
        return Bearer(Entity.ACCOUNT, Side.SALESFORCE, record.id, record.name, named, record)
    entity = Entity.CONTACT if isinstance(record, NetSuiteContact) else Entity.ACCOUNT
    named = _salesforce_ids(record.salesforce_id, record.external_id)
    return Bearer(entity, Side.NETSUITE, record.id, record.name, named, record)


def name_each_other(one: Bearer, other: Bearer) -> bool:
    return one.names == {other.id} and other.names == {one.id}


def judge(own: Bearer, named: Bearer | None, *, rivals: Sequence[str], suitors: Sequence[str]) -> Finding:
    """What is to be said of a record that names another one.

    `named` is that other record, None when it is gone. `rivals` are further records of the own side that name the same
    one, `suitors` further records of the other side that name `own`.
    """
    if named is not None and name_each_other(own, named):
        return _finding(Verdict.CONSISTENT, own, named)
    if len(own.names) > 1:
        return _finding(Verdict.CONTRADICTORY, own, None, f"it bears several ids: {_listed(own.names)}")
    if named is None:
        gone = f"{own.side.other.system} {own.entity} {_listed(own.names)}"
        return _finding(Verdict.ONE_SIDED, own, None, f"it names {gone}, which is not there")
    there = f"{named.side.system} {named.entity} {named.id}"
    if named.names - {own.id}:
        return _finding(Verdict.CONTRADICTORY, own, named, f"{there} bears {_listed(named.names)}")
    if rivals:
        why = f"{there} is also named by {_listed(rivals)}"
        return _finding(Verdict.CONTRADICTORY, own, named, why)
    if suitors:
        return _finding(Verdict.CONTRADICTORY, own, named, f"it is also named by {_listed(suitors)}")
    return _finding(Verdict.ONE_SIDED, own, named, f"{there} does not bear its id")


def contacts_agreed(
    mapping: ContactMapping, salesforce: SalesforceContact, netsuite: NetSuiteContact
) -> Fields:
    """What two contacts can be taken to have agreed on when the memory of it is lost: every row on which both sides
    show the same. A row on which they differ stays unset, so the next look decides it as at a first agreement."""
    gate = Gate(salesforce.account_id, salesforce.account_name, salesforce.account_customer_id)
    facts = facts_of(gate, salesforce, netsuite, mapping)
    agreements = _equal_rows(mapping, salesforce.fields, netsuite.fields, facts)
    if gate.customer_id is not None and gate.customer_id == netsuite.company_id:
        agreements[COMPANY_ROW.key] = Agreement(gate.customer_id, netsuite.company_id)
    return stored(agreements)


def accounts_agreed(mapping: FieldMap, account: SalesforceAccount, customer: NetSuiteCustomer) -> Fields:
    """The same for an account and its customer."""
    facts = facts_of_account(account, customer)
    return stored(_equal_rows(mapping, account.fields, customer.fields, facts))


def _equal_rows(
    mapping: FieldMap, salesforce: Fields, netsuite: Fields, facts: Facts
) -> dict[str, Agreement]:
    """A merge in which neither side may be written agrees only on what is equal."""
    return dict(merge(mapping, Pair(salesforce, netsuite, {}, facts, writable=frozenset())).agreements)


def _salesforce_ids(field: str | None, external_id: str | None) -> frozenset[str]:
    """Ids in the custom field, of any length, and in external ids: ours, and bare ones of other products."""
    ours = salesforce_id_of(external_id)
    if ours is None and external_id and is_salesforce_id(external_id):
        ours = external_id
    return frozenset(id_ for id_ in (_normal(field), ours) if id_)


def _normal(text: str | None) -> str | None:
    if not text:
        return None
    try:
        return to_18(text)
    except ValueError:
        return text.strip()


def _finding(verdict: Verdict, own: Bearer, named: Bearer | None, why: str = "") -> Finding:
    ids = {own.side: own.id, own.side.other: named.id if named else min(own.names)}
    records = {own.side: own.record, own.side.other: named.record if named else None}
    return Finding(
        own.entity,
        verdict,
        ids[Side.SALESFORCE],
        ids[Side.NETSUITE],
        own.label,
        why,
        salesforce=records[Side.SALESFORCE],
        netsuite=records[Side.NETSUITE],
    )


def _listed(ids: Sequence[str] | frozenset[str]) -> str:
    return " and ".join(sorted(ids))
