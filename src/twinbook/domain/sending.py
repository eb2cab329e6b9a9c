"""What was about to be written, remembered before it was sent.

Twinbook may be cut off between a write and the moment when it stores what both sides agree on. What the target shows
then is our own value, not somebody's edit. A look that does not know this would take it for one: an older value would
win over the newer edit that somebody made on the other side meanwhile, and the value that was written over would be
missing in the history. So each look first settles what the one before it had sent: a field that shows what was sent is
agreed on, as it would have been; any other was not reached, or was edited since. Several looks in a row may be cut off:
what the first one sent is known by the value that the next one found when it sent something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from twinbook.domain.agreement import Agreement, agreement_on, stored
from twinbook.domain.canonical import is_kept_form
from twinbook.domain.mapping import COMPANY_ROW, ContactMapping, MappingRow
from twinbook.domain.plan import ContactPlan
from twinbook.domain.records import Fields, NetSuiteContact, SalesforceContact, Sent, Side, Value


def sent_by(
    plan: ContactPlan, mapping: ContactMapping, before: Mapping[Side, Fields], by: str
) -> tuple[Sent, ...]:
    """The mapped fields that a plan writes. `before` is what both sides show, `{}` for one that is to be created; `by`
    names the claim."""
    there = before[Side.NETSUITE].get("id")
    counterpart = None if there is None else str(there)
    changes = {Side.SALESFORCE: plan.salesforce_changes, Side.NETSUITE: plan.netsuite_changes}
    found: list[Sent] = []
    for decision in plan.decisions:
        row, planned = mapping.row(decision.row) or COMPANY_ROW, agreement_on(decision.row, plan.agreed)
        for side, written in changes.items():
            name = row.field_on(side)
            if planned is not None and row.key == decision.row and name in written:
                old, new = before[side].get(name), written[name]
                found.append(
                    Sent(row.key, side, old, new, planned.salesforce, planned.netsuite, by, counterpart)
                )
    return tuple(found)


def shown_fields(
    salesforce: SalesforceContact | None, netsuite: NetSuiteContact | None
) -> dict[Side, Fields]:
    """What both sides show, account and company included, and the NetSuite record's id."""
    here: Fields = {**salesforce.fields, COMPANY_ROW.salesforce: salesforce.account_id} if salesforce else {}
    there: Fields = {}
    if netsuite is not None:
        there = {**netsuite.fields, COMPANY_ROW.netsuite: netsuite.company_id, "id": netsuite.id}
    return {Side.SALESFORCE: here, Side.NETSUITE: there}


def landed(sent: tuple[Sent, ...], mapping: ContactMapping, shown: Mapping[Side, Fields]) -> tuple[Sent, ...]:
    """Those that showed what was sent to them, in whatever form the target keeps it: now, or to the look that sent
    something else to the same field. `sent` is in the order of sending."""
    return tuple(item for item, _ in _seen(sent, mapping, shown))


def settled(
    agreed: Fields, sent: tuple[Sent, ...], mapping: ContactMapping, shown: Mapping[Side, Fields]
) -> Fields:
    """The agreed values as they would be if nothing had been cut off."""
    agreements: dict[str, Agreement] = {}
    for item, kept in _seen(sent, mapping, shown):
        halves = {Side.SALESFORCE: item.salesforce, Side.NETSUITE: item.netsuite}
        row = mapping.row(item.row)
        if row is not None:
            halves[item.side] = row.compared(item.side, kept)
        agreements[item.row] = Agreement(halves[Side.SALESFORCE], halves[Side.NETSUITE])
    return {**agreed, **stored(agreements)}


def _seen(
    sent: tuple[Sent, ...], mapping: ContactMapping, shown: Mapping[Side, Fields]
) -> Iterator[tuple[Sent, Value]]:
    """What landed, each with the value that the target made of it."""
    for index, item in enumerate(sent):
        row = mapping.row(item.row) or COMPANY_ROW
        later = (other for other in sent[index + 1 :] if _replaces(other, item))
        found = next((other.before for other in later), shown[item.side].get(row.field_on(item.side)))
        if row.key == item.row and _landed(item, row, found):
            yield item, found


def _replaces(later: Sent, item: Sent) -> bool:
    """Whether it was sent to the same field of the same record; one that was created had no id before."""
    same_record = item.counterpart in (None, later.counterpart)
    return same_record and (later.row, later.side) == (item.row, item.side)


def _landed(item: Sent, row: MappingRow, found: Value) -> bool:
    old, new = row.compared(item.side, item.before), row.compared(item.side, item.after)
    now = row.compared(item.side, found)
    return now == new or (now != old and is_kept_form(new, now))
