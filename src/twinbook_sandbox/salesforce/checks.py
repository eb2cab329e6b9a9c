"""Checks of a record before it is saved (salesforce.md 4.7): each returns or raises the problems it found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from twinbook_sandbox.salesforce.errors import ApiError, Problem, RefusedError, refuse
from twinbook_sandbox.salesforce.geography import complete_address
from twinbook_sandbox.salesforce.schema import Feature, Field, FieldType, ObjectSchema
from twinbook_sandbox.salesforce.storage import Row

if TYPE_CHECKING:
    from twinbook_sandbox.salesforce.work import UnitOfWork


def read_input(work: UnitOfWork, entity: str, raw: Mapping[str, Any], *, inserting: bool) -> Row:
    """The stored values of the fields in a request; keys are the fields' own names.

    Raises ApiError for what makes the whole call unreadable (unknown field, wrong JSON type), RefusedError
    with all problems of the values otherwise.
    """
    schema = work.actor.visible[entity]
    values: Row = {}
    problems: list[Problem] = []
    read_only: list[str] = []
    for name, value in raw.items():
        if name.lower() in ("attributes", "id"):
            continue
        field = schema.field(name)
        if field is None:
            field, value = _parent_by_external_id(work, schema, name, value)
        if not (field.createable if inserting else field.updateable):
            read_only.append(field.name)
            continue
        try:
            values[field.name] = work.acceptance.accept(entity, field, value)
        except RefusedError as refused:
            problems += refused.problems
    if read_only:
        problems.insert(0, _read_only(read_only))
    if problems:
        raise RefusedError(problems)
    return values


def _read_only(names: list[str]) -> Problem:
    return Problem(
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        f"Unable to create/update fields: {', '.join(names)}. Please check the security settings of this field "
        f"and verify that it is read/write for your profile or permission set.",
        tuple(names),
    )


def _parent_by_external_id(
    work: UnitOfWork, schema: ObjectSchema, name: str, value: Any
) -> tuple[Field, str | None]:
    """Resolve `{"Account": {"NetSuite_Id__c": "1234"}}` to the reference field and the parent's id."""
    field = schema.reference_by_relationship(name)
    if field is None or field.reference_to is None or not isinstance(value, dict | None):
        raise ApiError("INVALID_FIELD", f"No such column '{name}' on sobject of type {schema.name}")
    if value is None:
        return field, None
    parent = work.actor.visible[field.reference_to]
    keys = [(parent.field(key), text) for key, text in value.items() if key != "attributes"]
    if len(keys) != 1 or keys[0][0] is None or not keys[0][0].id_lookup:
        raise ApiError("INVALID_FIELD", f"{name}: exactly one external id field of {parent.name} is needed")
    key, text = keys[0]
    assert key is not None  # noqa: S101
    found = work.storage.find(parent.name, key.name, text)
    if len(found) != 1:
        problem = "not found" if not found else "is ambiguous"
        message = f"Foreign key external ID: {text} {problem} for field {key.name} in entity {parent.name}"
        raise refuse("INVALID_FIELD", message)
    return field, str(found[0]["Id"])


def check_saved(work: UnitOfWork, entity: str, row: Row, given: Mapping[str, Any]) -> None:
    """All checks of a record about to be saved, whose fields in `given` were just written."""
    schema = work.schemas[entity]
    if Feature.STATE_COUNTRY_PICKLISTS in work.features:
        _complete_addresses(schema, row, given)
    _check_required(schema, row)
    changed = [field for name in given if (field := schema.field(name)) and row[field.name] is not None]
    for field in changed:
        if field.reference_to:
            _check_reference(work, field, row[field.name])
        if field.unique:
            check_unique(work, entity, row, field)
    if "Email" in given and entity == "Contact":
        _check_duplicates(work, row)
    broken = work.rules.broken_by(entity, row)
    if broken:
        raise RefusedError(broken)


def _complete_addresses(schema: ObjectSchema, row: Row, given: Mapping[str, Any]) -> None:
    for compound in schema.fields:
        if compound.type is FieldType.ADDRESS and any(
            part.name in given for part in schema.parts_of(compound.name)
        ):
            complete_address(compound.name.removesuffix("Address"), row, given)


def _check_required(schema: ObjectSchema, row: Row) -> None:
    missing = tuple(each.name for each in schema.fields if each.required and row.get(each.name) is None)
    if missing:
        message = f"Required fields are missing: [{', '.join(missing)}]"
        raise refuse("REQUIRED_FIELD_MISSING", message, *missing)


def _check_reference(work: UnitOfWork, field: Field, id_: str) -> None:
    target = field.reference_to or ""
    if id_[:3] != work.schemas[target].key_prefix:
        raise refuse("MALFORMED_ID", f"{field.label}: id value of incorrect type: {id_}", field.name)
    deleted = work.storage.is_deleted(target, id_)
    if deleted is None:
        raise refuse("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", field.name)
    if deleted:
        raise refuse("ENTITY_IS_DELETED", "entity is deleted", field.name)


def check_unique(work: UnitOfWork, entity: str, row: Row, field: Field) -> None:
    """Raises RefusedError(DUPLICATE_VALUE), which names the other record, when the value is taken."""
    for other in work.storage.find(entity, field.name, row[field.name]):
        if other["Id"] != row["Id"]:
            message = (
                f"duplicate value found: {field.name} duplicates value on record with id: {other['Id'][:15]}"
            )
            raise refuse("DUPLICATE_VALUE", message)


def _check_duplicates(work: UnitOfWork, row: Row) -> None:
    rule = work.switches.duplicate_rule
    if rule == "off" or row["Email"] is None or (rule == "alert" and work.actor.saves_duplicates):
        return
    same = [
        each["Id"] for each in work.storage.find("Contact", "Email", row["Email"]) if each["Id"] != row["Id"]
    ]
    if not same:
        return
    message = "Use one of these records?"
    detail = {
        "allowSave": rule == "alert",
        "duplicateRule": "Standard_Contact_Duplicate_Rule",
        "duplicateRuleEntityType": "Contact",
        "errorMessage": message,
        "matchResults": [_match_result(work.record_url, same)],
    }
    extra: dict[str, Any] = {work.switches.duplicate_result_key: detail}
    raise RefusedError([Problem("DUPLICATES_DETECTED", message, extra=extra)])


def _match_result(record_url: Any, ids: list[str]) -> dict[str, Any]:
    records = [
        {
            "additionalInformation": [],
            "fieldDiffs": [],
            "matchConfidence": 100.0,
            "record": {"attributes": {"type": "Contact", "url": record_url("Contact", id_)}, "Id": id_},
        }
        for id_ in ids
    ]
    return {
        "entityType": "Contact",
        "errors": [],
        "matchEngine": "FuzzyMatchEngine",
        "matchRecords": records,
        "rule": "Standard_Contact_Match_Rule_v1_1",
        "size": len(records),
        "success": True,
    }
