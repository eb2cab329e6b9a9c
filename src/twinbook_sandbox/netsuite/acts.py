"""Acts of users and administrators that are no plain save: merge, lock, attach, deploy a field, upload a certificate.

They are the account's actions on the control plane: each takes a JSON object and answers with one, or nothing.
"""

import re
from typing import Any

from twinbook_sandbox.core.control import Action
from twinbook_sandbox.netsuite.credentials import Credentials
from twinbook_sandbox.netsuite.errors import invalid_value, no_such_record, user_error
from twinbook_sandbox.netsuite.login import Gatekeeper
from twinbook_sandbox.netsuite.records import Records
from twinbook_sandbox.netsuite.relations import Relations
from twinbook_sandbox.netsuite.rules import Actor
from twinbook_sandbox.netsuite.schema import CustomField, Kind
from twinbook_sandbox.netsuite.values import WriteOptions

ADMINISTRATOR = Actor(-5, "USERINTERFACE")
CONTEXTS = (
    *("USERINTERFACE", "CSVIMPORT", "SCHEDULED", "WORKFLOW"),
    *("RESTLET", "RESTWEBSERVICES", "WEBSERVICES"),
)
VENDOR = 900_001
"""The internal id of some vendor."""
_SCRIPT_ID = re.compile(r"custentity[a-z0-9_]{1,30}")


class Acts:
    """The actions of one account."""

    def __init__(self, records: Records, credentials: Credentials, gatekeeper: Gatekeeper) -> None:
        self._records = records
        self._storage = records.storage
        self._credentials = credentials
        self._gatekeeper = gatekeeper
        self._relations = Relations(records)

    def table(self) -> dict[str, Action]:
        """All actions by name."""
        acts: list[Action] = [
            self.merge,
            self.move_to_vendor,
            self.inactivate,
            self.edit,
            self.lock,
            self.unlock,
            self.refer,
            self.attach,
            self.detach,
            self.add_subsidiary,
            self.deploy_field,
            self.remove_field,
            self.upload_certificate,
            self.revoke_certificate,
            self.login_audit_trail,
        ]
        return {act.__name__: act for act in acts}

    def merge(self, arguments: dict[str, Any]) -> None:
        """Merge two contacts: {"master": id, "loser": id}; the loser vanishes, its attachments move."""
        kind = self._records.kind("contact")
        master, loser = (
            self._records.require(kind, str(arguments[name]), ADMINISTRATOR) for name in ("master", "loser")
        )
        if master["id"] == loser["id"]:
            raise user_error("A record cannot be merged with itself.")
        if self._records.switches.oneworld and master["subsidiary"] != loser["subsidiary"]:
            raise user_error("Records to be merged must have the same subsidiary.")
        with self._storage.transaction():
            move = "UPDATE OR IGNORE relation SET contact = ? WHERE contact = ?"
            self._storage.execute(move, (master["id"], loser["id"]))
            for column in ("supervisor", "assistant"):
                sql = f"UPDATE entity SET {column} = ? WHERE {column} = ?"  # noqa: S608 - constants
                self._storage.execute(sql, (master["id"], loser["id"]))
            listed = self._records.switches.merge_leaves_deletedrecord
            self._records.erase(kind, loser, ADMINISTRATOR, listed=listed)
            self._storage.update(kind, master["id"], {"lastmodifieddate": self._records.calendar.now()})

    def move_to_vendor(self, arguments: dict[str, Any]) -> None:
        """Make a vendor the company of a contact: {"id": contact}. Vendors are none of the account's record types."""
        kind = self._records.kind("contact")
        row = self._records.require(kind, str(arguments["id"]), ADMINISTRATOR)
        now = self._records.calendar.now()
        self._storage.update(kind, row["id"], {"company": VENDOR, "lastmodifieddate": now})

    def inactivate(self, arguments: dict[str, Any]) -> None:
        """Make a record inactive: {"type": "contact", "id": id, "inactive": true}."""
        self.edit({**arguments, "fields": {"isInactive": bool(arguments.get("inactive", True))}})

    def edit(self, arguments: dict[str, Any]) -> None:
        """Change a record in an execution context: {"type", "id", "fields": {}, "context": "CSVIMPORT"}."""
        context = str(arguments.get("context", "USERINTERFACE"))
        if context not in CONTEXTS:
            raise invalid_value("context", context)
        kind = self._records.kind(str(arguments.get("type", "contact")))
        actor = Actor(ADMINISTRATOR.user_id, context)
        self._records.update(
            kind, str(arguments["id"]), arguments["fields"], WriteOptions(names="error"), actor
        )

    def lock(self, arguments: dict[str, Any]) -> None:
        """Lock a record by a workflow, so that saves are refused: {"type": "contact", "id": id}."""
        self._mark(arguments, "locked", 1)

    def unlock(self, arguments: dict[str, Any]) -> None:
        """Take the workflow's lock off: {"type": "contact", "id": id}."""
        self._mark(arguments, "locked", 0)

    def refer(self, arguments: dict[str, Any]) -> None:
        """Let a transaction refer to a record, so that deletes are refused: {"type", "id", "refer": true}."""
        self._mark(arguments, "referenced", int(bool(arguments.get("refer", True))))

    def attach(self, arguments: dict[str, Any]) -> None:
        """Attach a contact: {"company": id, "contact": id, "role": id or null}."""
        role = arguments.get("role")
        body = {"role": {"id": str(role)}} if role is not None else {}
        self._relations.attach(str(arguments["company"]), str(arguments["contact"]), body, ADMINISTRATOR)

    def detach(self, arguments: dict[str, Any]) -> None:
        """Take a contact off a company: {"company": id, "contact": id}."""
        self._relations.detach(str(arguments["company"]), str(arguments["contact"]), ADMINISTRATOR)

    def add_subsidiary(self, arguments: dict[str, Any]) -> None:
        """Give a customer a further subsidiary: {"customer": id, "subsidiary": id}."""
        customer = self._records.require(
            self._records.kind("customer"), str(arguments["customer"]), ADMINISTRATOR
        )
        subsidiary = int(arguments["subsidiary"])
        if not self._records.parser.exists("subsidiary", subsidiary):
            raise no_such_record(str(subsidiary))
        sql = "INSERT OR IGNORE INTO secondary_subsidiary VALUES (?, ?)"
        self._storage.execute(sql, (customer["id"], subsidiary))

    def deploy_field(self, arguments: dict[str, Any]) -> None:
        """Deploy a custom entity field: {"script_id", "label", "type": "text", "max_length", "applies_to": []}."""
        script_id = str(arguments["script_id"])
        if not _SCRIPT_ID.fullmatch(script_id):
            raise invalid_value("script_id", script_id)
        if any(one.script_id == script_id for one in self._storage.custom_fields()):
            raise user_error(f"The field {script_id} is already deployed.")
        kind = Kind(arguments.get("type", "text"))
        if kind in (Kind.REF, Kind.ENUM, Kind.MULTI):
            raise invalid_value("type", kind.value)
        applies_to = tuple(str(one) for one in arguments.get("applies_to", ["contact"]))
        label, length = str(arguments.get("label", script_id)), arguments.get("max_length")
        with self._storage.transaction():
            self._storage.add_custom_field(CustomField(script_id, label, kind, length, applies_to))

    def remove_field(self, arguments: dict[str, Any]) -> None:
        """Remove a custom entity field with its values: {"script_id": "custentity_x"}."""
        script_id = str(arguments["script_id"])
        if not any(one.script_id == script_id for one in self._storage.custom_fields()):
            raise no_such_record(script_id)
        with self._storage.transaction():
            self._storage.drop_custom_field(script_id)

    def upload_certificate(self, arguments: dict[str, Any]) -> dict[str, str]:
        """Register a certificate for the integration: {"certificate": PEM}; answers {"certificate_id"}."""
        return {"certificate_id": self._credentials.upload(str(arguments["certificate"]))}

    def revoke_certificate(self, arguments: dict[str, Any]) -> None:
        """Revoke a certificate: {"certificate_id"}."""
        self._credentials.revoke(str(arguments["certificate_id"]))

    def login_audit_trail(self, _arguments: dict[str, Any]) -> dict[str, Any]:
        """The last refused logins, with the reasons that answers do not tell."""
        return {"refused": list(self._gatekeeper.audit)}

    def _mark(self, arguments: dict[str, Any], column: str, value: int) -> None:
        kind = self._records.kind(str(arguments.get("type", "contact")))
        row = self._records.require(kind, str(arguments["id"]), ADMINISTRATOR)
        if kind.table != "entity":
            raise invalid_value("type", kind.name)
        self._storage.update(kind, row["id"], {column: value})
