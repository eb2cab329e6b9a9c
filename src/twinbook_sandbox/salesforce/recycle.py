"""Deletion, the recycle bin, and merges (salesforce.md 3.6)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from twinbook_sandbox.salesforce.checks import check_unique
from twinbook_sandbox.salesforce.errors import refuse
from twinbook_sandbox.salesforce.schema import Field, OnParentDelete
from twinbook_sandbox.salesforce.storage import DELETED_AT, DELETED_IN, Row
from twinbook_sandbox.salesforce.work import UnitOfWork

MOST_LOSERS = 2
_MERGEABLE = ("Account", "Contact")


def delete(work: UnitOfWork, entity: str, id_: str) -> None:
    """Move a record and what hangs on it to the recycle bin. Raises RefusedError."""
    row = work.live_row(entity, id_)
    if not work.actor.visible[entity].deletable:
        raise refuse("INSUFFICIENT_ACCESS_OR_READONLY", f"{entity} records cannot be deleted")
    work.check_person_contact(entity, row)
    if entity == "AccountContactRelation" and row["IsDirect"]:
        raise refuse("DELETE_FAILED", "The direct relationship of a contact cannot be deleted")
    _bury_with_children(work, entity, row)


def _bury_with_children(work: UnitOfWork, entity: str, row: Row) -> None:
    work.bury_row(entity, row)
    for child, field in _children(work, entity):
        for each in work.storage.find(child, field.name, row["Id"]):
            if field.on_parent_delete is OnParentDelete.CASCADE:
                _bury_with_children(work, child, each)
            elif field.on_parent_delete is OnParentDelete.CLEAR:
                work.change_row(child, each, {field.name: None})


def _children(work: UnitOfWork, entity: str) -> Iterator[tuple[str, Field]]:
    for schema in work.schemas.values():
        for field in schema.references():
            if field.reference_to == entity and field.on_parent_delete is not OnParentDelete.KEEP:
                yield schema.name, field


def undelete(work: UnitOfWork, entity: str, id_: str) -> None:
    """Bring a record back from the recycle bin, with what was deleted together with it. Raises RefusedError."""
    row = work.storage.get(entity, id_)
    if row is None or not row["IsDeleted"] or row.get("MasterRecordId"):
        raise refuse("UNDELETE_FAILED", "Entity is not in the recycle bin")
    _restore(work, entity, row)


def _restore(work: UnitOfWork, entity: str, row: Row) -> None:
    transaction = row[DELETED_IN]
    for field in work.schemas[entity].fields:
        if field.unique and row[field.name] is not None:
            check_unique(work, entity, row, field)
    work.restore_row(entity, row)
    for child, field in _children(work, entity):
        for each in work.storage.deleted_in(child, field.name, row["Id"], transaction):
            _restore(work, child, each)


def purge(work: UnitOfWork, entity: str, id_: str) -> None:
    """Remove a record from the recycle bin for good; no event tells of it. Raises RefusedError."""
    row = work.storage.get(entity, id_)
    if row is None or not row["IsDeleted"]:
        raise refuse("ENTITY_NOT_FOUND", "Entity is not in the recycle bin")
    work.storage.remove(entity, row["Id"])
    for child, field in _children(work, entity):
        for each in work.storage.deleted_in(child, field.name, row["Id"], row[DELETED_IN]):
            purge(work, child, each["Id"])


def hard_delete(work: UnitOfWork, entity: str, id_: str) -> None:
    """Delete a live record past the recycle bin, as Bulk hardDelete does. Raises RefusedError."""
    if work.switches.hard_delete_fires_event:
        delete(work, entity, id_)
    else:
        work.live_row(entity, id_)
        work.storage.update(entity, id_, {"IsDeleted": 1, DELETED_IN: work.transaction_key})
    purge(work, entity, id_)


def purge_all(work: UnitOfWork, deleted_before: str) -> int:
    """Empty the recycle bin of what was deleted before an API datetime; returns the number of records."""
    removed = 0
    for schema in work.schemas.values():
        if schema.field("IsDeleted"):
            removed += work.storage.select(
                f'DELETE FROM "{schema.name}" WHERE "IsDeleted"=1 AND "{DELETED_AT}"<?',  # noqa: S608
                (deleted_before,),
            ).rowcount
    return removed


def merge(
    work: UnitOfWork, entity: str, master_id: str, loser_ids: Sequence[str], fields: Mapping[str, Any]
) -> None:
    """Merge up to two records into another of the same object: losers go to the recycle bin with
    MasterRecordId set, their children move to the master. Raises RefusedError."""
    if entity not in _MERGEABLE or not 1 <= len(loser_ids) <= MOST_LOSERS or master_id in loser_ids:
        raise refuse("INVALID_OPERATION", "One or two other records of Account or Contact can be merged")
    master = work.live_row(entity, master_id)
    losers = [work.live_row(entity, each) for each in loser_ids]
    work.change_row(entity, master, {})
    for loser in losers:
        for child, field in _children(work, entity):
            for each in work.storage.find(child, field.name, loser["Id"]):
                _move_child(work, child, each, field, master["Id"])
        work.bury_row(entity, loser | {"MasterRecordId": master["Id"]})
    if fields:
        work.update(entity, master["Id"], fields)


def _move_child(work: UnitOfWork, child: str, row: Row, field: Field, master_id: str) -> None:
    if row["Id"] == master_id:
        work.change_row(child, row, {field.name: None})
    elif child == "AccountContactRelation":
        _move_relation(work, row, field, master_id)
    elif (child, field.name) == (
        "Contact",
        "AccountId",
    ) and not work.switches.account_merge_fires_contact_events:
        work.storage.update(child, row["Id"], {field.name: master_id, "SystemModstamp": work.now_text})
    else:
        work.change_row(child, row, {field.name: master_id})


def _move_relation(work: UnitOfWork, row: Row, field: Field, master_id: str) -> None:
    """An account and a contact have one relation: the one that moves gives way to one that is there."""
    moved = row | {field.name: master_id}
    twin = next(
        (
            each
            for each in work.storage.find("AccountContactRelation", "ContactId", moved["ContactId"])
            if each["AccountId"] == moved["AccountId"]
        ),
        None,
    )
    # contacts move before their relations do, so the contact's account is already the one it stays with
    contact = work.storage.get("Contact", moved["ContactId"])
    direct = int(contact is not None and contact["AccountId"] == moved["AccountId"])
    if twin is None:
        work.change_row("AccountContactRelation", row, {field.name: master_id, "IsDirect": direct})
        return
    work.bury_row("AccountContactRelation", row)
    if twin["IsDirect"] != direct:
        work.change_row("AccountContactRelation", twin, {"IsDirect": direct})
