"""Business rules at the save of a record: defaults, mandatory fields, unique names, fitting subsidiaries.

Every refusal is a ``USER_ERROR`` with the core's text, as REST passes it on (netsuite.md 3.2, 3.3, 8).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from twinbook_sandbox.netsuite.errors import NetSuiteError, user_error
from twinbook_sandbox.netsuite.schema import (
    CONTACT,
    CUSTOMER,
    DEFAULT_STATUS,
    Kind,
    RecordType,
)
from twinbook_sandbox.netsuite.storage import Row, Storage, Value
from twinbook_sandbox.netsuite.switches import NetSuiteSwitches
from twinbook_sandbox.netsuite.times import Calendar

NAME_PARTS = ("firstname", "middlename", "lastname")
NAME_TAKEN = "A contact record with this name already exists. Every contact record must have a unique name."
CUSTOMER_ID_TAKEN = (
    "A customer record with this ID already exists. "
    "You must enter a unique customer ID for each record you create."
)
ENTITY_EXISTS = "This entity already exists."
LOCKED = "This record has been locked by a user defined workflow."
SUBSIDIARY_MISMATCH = (
    "The subsidiary restrictions on this record are incompatible with those defined for the field: company."
)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who writes, and through what (the execution contexts of netsuite.md 5.4)."""

    user_id: int
    context: str = "RESTWEBSERVICES"

    @property
    def by_api(self) -> bool:
        """Whether a program writes, not a person on a page."""
        return self.context != "USERINTERFACE"


class Rules(Protocol):
    """What is checked and filled in when a record is saved. The answers are the columns to store."""

    def created(self, kind: RecordType, given: Mapping[str, Value], actor: Actor, /) -> dict[str, Value]:
        """All columns of a new record."""

    def changed(
        self, kind: RecordType, old: Row, given: Mapping[str, Value], has_addresses: bool, actor: Actor, /
    ) -> dict[str, Value]:
        """The columns of an existing record that change."""


class EntityRules:
    """Rules of contacts and customers."""

    def __init__(self, storage: Storage, switches: NetSuiteSwitches, calendar: Calendar) -> None:
        self._storage = storage
        self._switches = switches
        self._calendar = calendar

    def created(self, kind: RecordType, given: Mapping[str, Value], actor: Actor) -> dict[str, Value]:
        """All columns of a new record."""
        values: dict[str, Value] = {
            spec.column: "F" for spec in kind.fields.values() if spec.kind is Kind.BOOL
        }
        values["globalsubscriptionstatus"] = self._switches.global_subscription_default
        values["emailpreference"] = "DEFAULT"
        values["customform"] = -40 if kind.name == CONTACT.name else -2
        if kind.name == CUSTOMER.name:
            values["entitystatus"] = DEFAULT_STATUS
        values.update(given)
        if values.get("isprivate") == "T" and values.get("owner") is None:
            values["owner"] = actor.user_id
        if not actor.by_api and self._switches.oneworld and values.get("subsidiary") is None:
            values["subsidiary"] = self._usual_subsidiary(values)
        if not values.get("entityid"):
            values["entityid"] = self._usual_name(kind, values)
        self._check(kind, None, values, actor)
        values["datecreated"] = values["lastmodifieddate"] = self._calendar.now()
        values["name_key"] = str(values["entityid"]).casefold()
        return values

    def changed(
        self, kind: RecordType, old: Row, given: Mapping[str, Value], has_addresses: bool, actor: Actor
    ) -> dict[str, Value]:
        """The columns of an existing record that change."""
        if old["locked"]:
            raise user_error(LOCKED)
        values = {name: value for name, value in given.items() if name != "isperson"}  # set on create only
        merged: dict[str, Value] = {**dict(old), **values}
        recompose = self._switches.recompose_entityid_on_name_change and kind.name == CONTACT.name
        if "entityid" not in values and recompose and values.keys() & set(NAME_PARTS):
            values["entityid"] = merged["entityid"] = self._usual_name(kind, merged)
        if merged.get("isprivate") == "T" and merged.get("owner") is None:
            values["owner"] = merged["owner"] = actor.user_id
        self._check(kind, old["id"], merged, actor)
        if "entityid" in values:
            values["name_key"] = str(values["entityid"]).casefold()
        if self._bumps(kind, old, values, has_addresses):
            values["lastmodifieddate"] = self._calendar.now()
        return values

    def _bumps(self, kind: RecordType, old: Row, values: Mapping[str, Value], has_addresses: bool) -> bool:
        moved = {name for name, value in values.items() if old[name] != value}
        if not moved and has_addresses:
            return self._switches.address_bumps_lastmodified
        custom = {spec.column for spec in kind.fields.values() if spec.custom}
        return not moved or not moved <= custom or self._switches.custom_field_bumps_lastmodified

    def _usual_name(self, kind: RecordType, values: Mapping[str, Value]) -> Value:
        person = " ".join(str(values[part]) for part in NAME_PARTS if values.get(part)) or None
        if kind.name == CONTACT.name:
            return person
        if self._switches.customer_auto_number:
            last: int = self._storage.value("SELECT COUNT(*) FROM entity WHERE type = 'customer'")
            return f"CUST{last + 1}"
        return person if values.get("isperson") == "T" else values.get("companyname")

    def _usual_subsidiary(self, values: Mapping[str, Value]) -> Value:
        company = values.get("company")
        own: Value = self._storage.value("SELECT subsidiary FROM entity WHERE id = ?", (company,))
        return own if own is not None else 1

    # --- checks

    def _check(self, kind: RecordType, id_: int | None, row: Mapping[str, Value], actor: Actor) -> None:
        self._check_mandatory(kind, row)
        self._check_external_id(id_, row)
        if kind.name == CONTACT.name:
            self._check_contact_name(id_, row)
            self._check_subsidiary(row)
            self._check_user_event(row, actor)
        else:
            self._check_customer_name(id_, row)

    def _check_mandatory(self, kind: RecordType, row: Mapping[str, Value]) -> None:
        missing = [
            kind.fields[name].label for name in self._mandatory(kind, row) if row.get(name.lower()) is None
        ]
        if missing:
            raise user_error(f"Please enter value(s) for: {', '.join(missing)}.")

    def _mandatory(self, kind: RecordType, row: Mapping[str, Value]) -> Iterable[str]:
        if kind.name == CUSTOMER.name:
            yield from ("firstName", "lastName") if row.get("isperson") == "T" else ("companyName",)
        if row.get("entityid") is None:
            yield "entityId"
        if self._switches.oneworld:
            yield "subsidiary"
        for entry in self._switches.mandatory_fields:
            type_, _, name = entry.rpartition(".")
            if (type_ or CONTACT.name) == kind.name and name in kind.fields:
                yield name

    def _check_external_id(self, id_: int | None, row: Mapping[str, Value]) -> None:
        external = row.get("externalid")
        if external is None:
            return
        holder = self._storage.value("SELECT id FROM entity WHERE externalid = ?", (external,))
        if holder not in (None, id_):
            raise user_error(ENTITY_EXISTS)

    def _check_contact_name(self, id_: int | None, row: Mapping[str, Value]) -> None:
        scope = self._switches.contact_name_scope
        if scope == "off":
            return
        sql = "SELECT id, entityid, isinactive FROM entity WHERE name_key = ? AND type = 'contact' AND id IS NOT ?"
        sql += " AND company IS ?" if scope == "company" else " AND (1 OR ?)"
        name = str(row["entityid"])
        rivals = self._storage.rows(sql, (name.casefold(), id_, row.get("company")))
        if any(self._is_rival(rival, name) for rival in rivals):
            raise user_error(NAME_TAKEN)

    def _is_rival(self, rival: Row, name: str) -> bool:
        same = rival["entityid"] == name or not self._switches.contact_name_case_sensitive
        return same and (rival["isinactive"] == "F" or self._switches.inactive_names_count)

    def _check_customer_name(self, id_: int | None, row: Mapping[str, Value]) -> None:
        sql = "SELECT 1 FROM entity WHERE name_key = ? AND type = 'customer' AND id IS NOT ?"
        if self._storage.value(sql, (str(row["entityid"]).casefold(), id_)):
            raise user_error(CUSTOMER_ID_TAKEN)

    def _check_subsidiary(self, row: Mapping[str, Value]) -> None:
        if not self._switches.oneworld or row.get("company") is None:
            return
        sql = """SELECT 1 FROM entity WHERE id = :company AND subsidiary = :subsidiary UNION ALL
                 SELECT 1 FROM secondary_subsidiary WHERE customer = :company AND subsidiary = :subsidiary"""
        if self._storage.row(sql, {name: row.get(name) for name in ("company", "subsidiary")}) is None:
            raise user_error(SUBSIDIARY_MISMATCH)

    def _check_user_event(self, row: Mapping[str, Value], actor: Actor) -> None:
        text, condition = self._switches.user_event_reject, self._switches.user_event_reject_if
        if not text or not actor.by_api:
            return
        name, _, value = condition.partition("=")
        if not condition or str(row.get(name.strip().lower())) == value.strip():
            raise user_error(text)


class ListRules:
    """Rules of list items: they have a name, and no two of a type share it or an external id."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def created(self, kind: RecordType, given: Mapping[str, Value], _actor: Actor) -> dict[str, Value]:
        """All columns of a new item."""
        values: dict[str, Value] = {"isinactive": "F", **given}
        self._check(kind, None, values)
        return values

    def changed(
        self, kind: RecordType, old: Row, given: Mapping[str, Value], _has_addresses: bool, _actor: Actor
    ) -> dict[str, Value]:
        """The columns of an existing item that change."""
        self._check(kind, old["id"], {**dict(old), **given})
        return dict(given)

    def _check(self, kind: RecordType, id_: int | None, row: Mapping[str, Any]) -> None:
        if row.get("name") is None:
            raise user_error("Please enter value(s) for: Name.")
        sql = "SELECT 1 FROM listitem WHERE type = ? AND id IS NOT ? AND (name = ? OR externalid = ?)"
        if self._storage.value(sql, (kind.name, id_, row["name"], row.get("externalid"))):
            raise user_error(f"A {kind.label} record with this name already exists.")


def refuse_if_private(row: Row, actor: Actor) -> None:
    """A private contact is for its owner alone (netsuite.md 8.7)."""
    if row["isprivate"] == "T" and row["owner"] != actor.user_id:
        text = "You do not have access to this private record."
        raise NetSuiteError(403, "INSUFFICIENT_PERMISSION", text)
