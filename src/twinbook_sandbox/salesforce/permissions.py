"""What the integration user may do, as its permission sets say (salesforce.md 3.1, 4.6, 7).

Permission sets are read in the form of the Metadata API, so that the very files that an administrator would deploy can
be tried out. Whoever has several may do what any of them allows. Sharing is not emulated: every record is visible.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from twinbook_sandbox.salesforce.metadata import parsed, rows
from twinbook_sandbox.salesforce.schema import Field, FieldType, ObjectSchema

_OPEN = frozenset({"User", "Organization"})
"""Objects that every user may read."""
_FOLLOWS: Mapping[str, tuple[str, ...]] = {
    "AccountContactRelation": ("Account", "Contact"),
    "AccountContactRole": ("Account", "Contact"),
    "OpportunityContactRole": ("Opportunity", "Contact"),
}
"""Objects without permissions of their own: access to them is access to these. Unverified for View All Records."""
_ALWAYS_OPEN_FIELDS = frozenset({"Name", "OwnerId"})


@dataclass(frozen=True, slots=True)
class ObjectAccess:
    """What is allowed on the records of one object."""

    read: bool = False
    create: bool = False
    edit: bool = False
    delete: bool = False
    view_all: bool = False

    def __or__(self, other: ObjectAccess) -> ObjectAccess:
        return ObjectAccess(
            self.read or other.read,
            self.create or other.create,
            self.edit or other.edit,
            self.delete or other.delete,
            self.view_all or other.view_all,
        )

    def __and__(self, other: ObjectAccess) -> ObjectAccess:
        return ObjectAccess(
            self.read and other.read,
            self.create and other.create,
            self.edit and other.edit,
            self.delete and other.delete,
            self.view_all and other.view_all,
        )


@dataclass(frozen=True, slots=True)
class Permissions:
    """`fields` maps `Contact.Email` to whether it may be edited; fields that are not in it are hidden."""

    objects: Mapping[str, ObjectAccess]
    fields: Mapping[str, bool]
    system: frozenset[str]

    @property
    def api_enabled(self) -> bool:
        return "ApiEnabled" in self.system

    def access(self, entity: str) -> ObjectAccess:
        """What is allowed on an object, which may follow others."""
        if entity in _OPEN:
            return ObjectAccess(read=True)
        first, *others = (self.objects.get(name, ObjectAccess()) for name in _FOLLOWS.get(entity, (entity,)))
        for other in others:
            first &= other
        return first

    def narrowed(self, schema: ObjectSchema) -> ObjectSchema:
        """An object with the fields that may be seen, those that may only be read marked so."""
        access = self.access(schema.name)
        fields = (self._narrowed(schema, each) for each in schema.fields)
        return replace(
            schema,
            fields=tuple(each for each in fields if each is not None),
            createable=schema.createable and access.create,
            updateable=schema.updateable and access.edit,
            deletable=schema.deletable and access.delete,
        )

    def _narrowed(self, schema: ObjectSchema, field: Field) -> Field | None:
        if not permissionable(schema, field):
            return field
        editable = self.fields.get(f"{schema.name}.{_secured_by(schema, field)}")
        if editable is None:
            return None
        return field if editable else replace(field, createable=False, updateable=False)


def permissionable(schema: ObjectSchema, field: Field) -> bool:
    """Whether a field has field-level security: required and system fields and names have none."""
    if (
        schema.name in _OPEN
        or field.required
        or field.name in _ALWAYS_OPEN_FIELDS
        or field.compound == "Name"
    ):
        return False
    return field.custom or field.createable or FieldType.ADDRESS in (field.type, _whole(schema, field).type)


def _secured_by(schema: ObjectSchema, field: Field) -> str:
    """The parts of an address have the security of the whole."""
    return _whole(schema, field).name


def _whole(schema: ObjectSchema, field: Field) -> Field:
    return (schema.field(field.compound) if field.compound else None) or field


def from_metadata(texts: Iterable[str]) -> Permissions:
    """What the permission sets in these files allow together. Raises ValueError when one is no permission set."""
    objects: dict[str, ObjectAccess] = {}
    fields: dict[str, bool] = {}
    system: set[str] = set()
    for text in texts:
        root = parsed(text, "PermissionSet")
        for row in rows(root, "objectPermissions"):
            name = row["object"]
            objects[name] = objects.get(name, ObjectAccess()) | _access(row)
        for row in rows(root, "fieldPermissions"):
            if row.get("readable") == "true":
                fields[row["field"]] = fields.get(row["field"], False) or row["editable"] == "true"
        system |= {row["name"] for row in rows(root, "userPermissions") if row["enabled"] == "true"}
    return Permissions(objects, fields, frozenset(system))


def _access(row: Mapping[str, str]) -> ObjectAccess:
    names = ("allowRead", "allowCreate", "allowEdit", "allowDelete", "viewAllRecords")
    return ObjectAccess(*(row.get(name) == "true" for name in names))
