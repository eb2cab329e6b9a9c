"""Attached contacts and their roles (netsuite.md 2.10, 8.2): one role per (company, contact), one primary each."""

from typing import Any

from twinbook_sandbox.netsuite.errors import NetSuiteError, invalid_body, invalid_value, user_error
from twinbook_sandbox.netsuite.records import Records
from twinbook_sandbox.netsuite.rules import Actor
from twinbook_sandbox.netsuite.schema import CONTACT_ROLE, PRIMARY_CONTACT, FieldSpec, Kind

_ROLE = FieldSpec("role", Kind.REF, target=CONTACT_ROLE.name)


class Relations:
    """Attaches contacts to customers and takes them off."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._storage = records.storage

    def attach(self, company_key: str, contact_key: str, body: dict[str, Any], actor: Actor) -> None:
        """Attach with the role of the body, or without one. A new primary contact demotes the old."""
        company, contact = self._ends(company_key, contact_key, actor)
        unknown = body.keys() - {"role"}
        if unknown:
            raise invalid_body(f"Unknown member {min(unknown)}.", min(unknown))
        role = self._records.parser.value(_ROLE, body.get("role"), "role")
        sql = "SELECT role FROM relation WHERE company = ? AND contact = ?"
        old = self._storage.row(sql, (company, contact))
        if old is not None and old["role"] == role and self._records.switches.reattach_unchanged == "refuse":
            raise user_error("This contact is already attached.")
        with self._storage.transaction():
            if role == PRIMARY_CONTACT:
                demote = "UPDATE relation SET role = NULL WHERE company = ? AND role = ?"
                self._storage.execute(demote, (company, PRIMARY_CONTACT))
            upsert = "INSERT OR REPLACE INTO relation VALUES (?, ?, ?)"
            self._storage.execute(upsert, (company, contact, role))
            self._touch(contact)

    def detach(self, company_key: str, contact_key: str, actor: Actor) -> None:
        """Take the contact off; its ``company`` field stays."""
        company, contact = self._ends(company_key, contact_key, actor)
        with self._storage.transaction():
            sql = "DELETE FROM relation WHERE company = ? AND contact = ?"
            self._storage.execute(sql, (company, contact))
            self._touch(contact)

    def _ends(self, company_key: str, contact_key: str, actor: Actor) -> tuple[int, int]:
        customer, contact = self._records.kind("customer"), self._records.kind("contact")
        company = self._records.require(customer, company_key, actor)
        return int(company["id"]), int(self._records.require(contact, contact_key, actor)["id"])

    def _touch(self, contact: int) -> None:
        if self._records.switches.attach_bumps_lastmodified:
            now = self._records.calendar.now()
            self._storage.update(self._records.kind("contact"), contact, {"lastmodifieddate": now})


def refuse_other_types(base: str, attached: str) -> None:
    """Only contacts and files can be attached, and not to a contact or a group (netsuite.md 2.10)."""
    if attached != "contact":
        raise NetSuiteError(400, "INVALID_REQUEST", f"A record of the type {attached} cannot be attached.")
    if base != "customer":
        raise invalid_value("recordType", base)
