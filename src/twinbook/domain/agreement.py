"""What both sides last agreed on, and how it is kept from going to and fro.

A system does not always keep what is written to it: it trims, cuts off, reformats. So an agreement holds, for each
mapping row, what *each side showed* when they agreed: the Salesforce value under the row's key and, only where it
differs, the NetSuite value under `<key>@netsuite`. A side has changed when it no longer shows its half. The store
keeps these values without looking into them.

After a write, the target's half is what was read back, provided that the system made it of what was written (the same
letters and digits, possibly cut off) or still shows what it showed before, which is how an automation that insists
looks. Any other value is somebody's edit, made since: the agreement then holds what was written, and the next plan
finds the edit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from twinbook.domain.canonical import is_kept_form
from twinbook.domain.mapping import FieldMap, MappingRow
from twinbook.domain.plan import AccountPlan, ContactPlan, FieldDecision
from twinbook.domain.records import (
    Fields,
    NetSuiteContact,
    NetSuiteCustomer,
    SalesforceAccount,
    SalesforceContact,
    Side,
    Value,
)

NETSUITE_HALF = "@netsuite"

INACTIVATED = "@inactivated"
"""Stands with the agreed values of a tombstone whose NetSuite contact Twinbook made inactive: an undelete makes it
active again. What a person made inactive stays so."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What each side showed when they agreed on one row: canonical values, equal as a rule."""

    salesforce: Value
    netsuite: Value


def agreement_on(key: str, agreed: Fields) -> Agreement | None:
    """The stored agreement on a row, None when there never was one."""
    if key not in agreed:
        return None
    return Agreement(agreed[key], agreed.get(key + NETSUITE_HALF, agreed[key]))


def stored(agreements: Mapping[str, Agreement]) -> Fields:
    """Agreements in the form in which a link keeps them."""
    fields: dict[str, Value] = {}
    for key, agreement in agreements.items():
        fields[key] = agreement.salesforce
        if agreement.netsuite != agreement.salesforce:
            fields[key + NETSUITE_HALF] = agreement.netsuite
    return fields


def agreed_after(
    plan: ContactPlan | AccountPlan,
    mapping: FieldMap,
    salesforce: SalesforceContact | SalesforceAccount,
    netsuite: NetSuiteContact | NetSuiteCustomer,
) -> Fields:
    """The agreed values to store once `plan` is carried out, from both records as they are now.

    A side to which nothing was written need not be read again: pass the record that the plan was made of.
    """
    now = {Side.SALESFORCE: salesforce.fields, Side.NETSUITE: netsuite.fields}
    agreements: dict[str, Agreement] = {}
    for decision in plan.decisions:
        planned, row = agreement_on(decision.row, plan.agreed), mapping.row(decision.row)
        if planned is not None:
            agreements[decision.row] = planned if row is None else _settled(row, planned, decision, plan, now)
    return stored(agreements)


def edited_since(side: Side, record: Fields, mapping: FieldMap, agreed: Fields) -> bool:
    """Whether a mapped field of `record` is no longer what that side showed at the last agreement."""
    for row in mapping.rows:
        agreement = agreement_on(row.key, agreed)
        if agreement is None or row.field_on(side) not in record:
            continue
        then = agreement.salesforce if side is Side.SALESFORCE else agreement.netsuite
        if row.compared(side, record[row.field_on(side)]) != then:
            return True
    return False


def _settled(
    row: MappingRow,
    planned: Agreement,
    decision: FieldDecision,
    plan: ContactPlan | AccountPlan,
    now: Mapping[Side, Fields],
) -> Agreement:
    settled = planned
    if _kept(row, Side.NETSUITE, plan.netsuite_changes, now[Side.NETSUITE], decision.netsuite):
        settled = replace(settled, netsuite=_shown(row, Side.NETSUITE, now[Side.NETSUITE]))
    if _kept(row, Side.SALESFORCE, plan.salesforce_changes, now[Side.SALESFORCE], decision.salesforce):
        settled = replace(settled, salesforce=_shown(row, Side.SALESFORCE, now[Side.SALESFORCE]))
    return settled


def _kept(row: MappingRow, side: Side, changes: Fields, now: Fields, before: Value) -> bool:
    """Whether the row was written to `side`, and what stands there now is what the side made of it."""
    name = row.field_on(side)
    if name not in changes:
        return False
    sent, shown = changes[name], _shown(row, side, now)
    if shown == before or is_kept_form(row.compared(side, sent), shown):
        return True
    return is_kept_form(sent, now.get(name))


def _shown(row: MappingRow, side: Side, fields: Fields) -> Value:
    return row.compared(side, fields.get(row.field_on(side)))
