"""What the org does by itself when a record is saved: derived fields, direct account relations, person accounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twinbook_sandbox.salesforce.errors import refuse
from twinbook_sandbox.salesforce.objects.sales import LOST, STAGE_PROBABILITY, WON
from twinbook_sandbox.salesforce.storage import Row

if TYPE_CHECKING:
    from twinbook_sandbox.salesforce.work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Save:
    """A record being saved: as it was (None when new), and as it will be."""

    work: UnitOfWork
    old: Row | None
    row: Row


def _full_name(row: Row) -> str:
    parts = (row["FirstName"], row.get("MiddleName"), row["LastName"], row.get("Suffix"))
    return " ".join(part for part in parts if part)


# before the checks: complete the row


def _person_before(save: Save) -> None:
    save.row["Name"] = _full_name(save.row) or None


def _account_before(save: Save) -> None:
    if save.old is None and save.row.get("LastName") and save.row["Name"] is None:
        save.row["IsPersonAccount"] = 1
        save.row["PersonContactId"] = save.work.new_id("Contact")
    if save.row.get("IsPersonAccount"):
        save.row["Name"] = _full_name(save.row)


def _opportunity_before(save: Save) -> None:
    stage = save.row["StageName"]
    save.row["IsWon"] = int(stage == WON)
    save.row["IsClosed"] = int(stage in (WON, LOST))
    save.row["ForecastCategory"] = "Closed" if stage == WON else "Omitted" if stage == LOST else "Pipeline"
    if save.old is None and save.row["Probability"] is not None:
        return
    if save.old is None or save.old["StageName"] != stage:
        save.row["Probability"] = STAGE_PROBABILITY.get(stage or "", save.row["Probability"])


def _quote_before(save: Save) -> None:
    opportunity = save.work.storage.get("Opportunity", save.row["OpportunityId"] or "")
    save.row["AccountId"] = opportunity["AccountId"] if opportunity else None
    save.row["QuoteNumber"] = save.row["QuoteNumber"] or f"{save.work.storage.count('Quote') + 1:08d}"


def _relation_before(save: Save) -> None:
    existing = save.work.storage.find("AccountContactRelation", "ContactId", save.row["ContactId"])
    if save.old is None and any(each["AccountId"] == save.row["AccountId"] for each in existing):
        raise refuse("DUPLICATE_VALUE", "There's already a relationship between this account and contact.")


# after the record is written: what follows from it


def _contact_after(save: Save) -> None:
    """Keep the direct relation in step with the contact's account (salesforce.md 6.4)."""
    former = save.old["AccountId"] if save.old else None
    if save.row["AccountId"] == former or save.row.get("IsPersonAccount"):
        return
    relations = save.work.storage.find("AccountContactRelation", "ContactId", save.row["Id"])
    for relation in relations:
        if relation["IsDirect"] and save.work.switches.keep_previous_account_relation:
            save.work.change_row("AccountContactRelation", relation, {"IsDirect": 0})
        elif relation["IsDirect"]:
            save.work.bury_row("AccountContactRelation", relation)
    if save.row["AccountId"]:
        _make_direct(save.work, save.row, relations)


def _make_direct(work: UnitOfWork, contact: Row, relations: list[Row]) -> None:
    for relation in relations:
        if relation["AccountId"] == contact["AccountId"]:
            work.change_row("AccountContactRelation", relation, {"IsDirect": 1})
            return
    link = {"AccountId": contact["AccountId"], "ContactId": contact["Id"], "IsDirect": 1}
    work.create_row("AccountContactRelation", work.blank_row("AccountContactRelation") | link)


def _account_after(save: Save) -> None:
    """Carry a person account over to its contact: both always change together (salesforce.md 6.3)."""
    if not save.row.get("IsPersonAccount"):
        return
    shared = {name: save.row[source] for source, name in save.work.person_fields().items()}
    if save.old is None:
        pair = {
            "Id": save.row["PersonContactId"],
            "AccountId": save.row["Id"],
            "IsPersonAccount": 1,
            "Name": save.row["Name"],
        }
        save.work.create_row("Contact", save.work.blank_row("Contact") | shared | pair)
        return
    contact = save.work.storage.get("Contact", save.row["PersonContactId"])
    if contact:
        save.work.change_row("Contact", contact, shared | {"Name": save.row["Name"]})


def _opportunity_role_after(save: Save) -> None:
    """An opportunity has one primary contact: the last one made so."""
    if not save.row["IsPrimary"] or (save.old and save.old["IsPrimary"]):
        return
    for other in save.work.storage.find("OpportunityContactRole", "OpportunityId", save.row["OpportunityId"]):
        if other["IsPrimary"] and other["Id"] != save.row["Id"]:
            save.work.change_row("OpportunityContactRole", other, {"IsPrimary": 0})


Trigger = Callable[[Save], None]

BEFORE_SAVE: Mapping[str, Trigger] = {
    "Contact": _person_before,
    "User": _person_before,
    "Account": _account_before,
    "Opportunity": _opportunity_before,
    "Quote": _quote_before,
    "AccountContactRelation": _relation_before,
}
"""By object: completes the row that is about to be saved."""

AFTER_SAVE: Mapping[str, Trigger] = {
    "Contact": _contact_after,
    "Account": _account_after,
    "OpportunityContactRole": _opportunity_role_after,
}
