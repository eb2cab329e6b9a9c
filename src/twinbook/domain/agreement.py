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
from dataclasses import dataclass

from twinbook.domain.canonical import is_kept_form
from twinbook.domain.mapping import COMPANY_ROW, ContactMapping, MappingRow
from twinbook.domain.plan import ContactPlan
from twinbook.domain.records import Fields, NetSuiteContact, SalesforceContact, Side, Value

NETSUITE_HALF = "@netsuite"


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
    plan: ContactPlan, mapping: ContactMapping, salesforce: SalesforceContact, netsuite: NetSuiteContact
) -> Fields:
    """The agreed values to store once `plan` is carried out, from both records as they are now.

    A side to which nothing was written need not be read again: pass the record that the plan was made of.
    """
    agreements: dict[str, Agreement] = {}
    for decision in plan.decisions:
        row = COMPANY_ROW if decision.row == COMPANY_ROW.key else mapping.row(decision.row)
        planned = agreement_on(decision.row, plan.agreed)
        if row is None or planned is None:
            continue
        on_salesforce, on_netsuite = planned.salesforce, planned.netsuite
        if row.netsuite in plan.netsuite_changes:
            on_netsuite = _kept(on_netsuite, _shown(row, Side.NETSUITE, netsuite), decision.netsuite)
        elif row.salesforce in plan.salesforce_changes:
            on_salesforce = _kept(
                on_salesforce, _shown(row, Side.SALESFORCE, salesforce), decision.salesforce
            )
        agreements[decision.row] = Agreement(on_salesforce, on_netsuite)
    return stored(agreements)


def edited_since(side: Side, record: Fields, mapping: ContactMapping, agreed: Fields) -> bool:
    """Whether a mapped field of `record` is no longer what that side showed at the last agreement."""
    for row in mapping.rows:
        agreement = agreement_on(row.key, agreed)
        if agreement is None or row.field_on(side) not in record:
            continue
        then = agreement.salesforce if side is Side.SALESFORCE else agreement.netsuite
        if row.compared(side, record[row.field_on(side)]) != then:
            return True
    return False


def _kept(sent: Value, shown: Value, before: Value) -> Value:
    return shown if shown == before or is_kept_form(sent, shown) else sent


def _shown(row: MappingRow, side: Side, record: SalesforceContact | NetSuiteContact) -> Value:
    if row is COMPANY_ROW:
        return record.account_customer_id if isinstance(record, SalesforceContact) else record.company_id
    return row.compared(side, record.fields.get(row.field_on(side)))
