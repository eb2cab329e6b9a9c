"""The record service below HTTP: find, create, change and delete records by the rules of the account."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from twinbook_sandbox.netsuite.addresses import AddressBook
from twinbook_sandbox.netsuite.errors import invalid_body, no_such_record, no_such_type, user_error
from twinbook_sandbox.netsuite.representation import Presenter
from twinbook_sandbox.netsuite.rules import LOCKED, Actor, EntityRules, ListRules, Rules, refuse_if_private
from twinbook_sandbox.netsuite.schema import RecordType, Schema
from twinbook_sandbox.netsuite.storage import Row, Storage
from twinbook_sandbox.netsuite.switches import NetSuiteSwitches
from twinbook_sandbox.netsuite.times import Calendar
from twinbook_sandbox.netsuite.values import BodyParser, WriteOptions

HAS_DEPENDENTS = "This record cannot be deleted because it has dependent records."
_REFERRING = ("company", "parent", "supervisor", "assistant")


@dataclass(frozen=True, slots=True)
class Written:
    """What came of a write: the record's id, and properties that were passed over with a warning."""

    id: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A record was saved or deleted. ``type`` as user event scripts name it: create, edit, delete."""

    kind: RecordType
    id: int
    type: str
    actor: Actor


class Records:
    """All record types of one account. Writes are all or nothing; refusals are :class:`NetSuiteError`."""

    def __init__(self, storage: Storage, switches: NetSuiteSwitches, calendar: Calendar) -> None:
        self.storage = storage
        self.switches = switches
        self.calendar = calendar
        parser = BodyParser(storage, switches)
        self.parser = parser
        self.addresses = AddressBook(storage, switches, parser)
        self.presenter = Presenter(storage, self.addresses)
        self._entity_rules = EntityRules(storage, switches, calendar)
        self._list_rules = ListRules(storage)
        self._watchers: list[Callable[[Change], None]] = []
        self._schema: Schema | None = None
        self._schema_key: tuple[int, bool] | None = None

    def watch(self, watcher: Callable[[Change], None]) -> None:
        """Have a function called after each save and delete."""
        self._watchers.append(watcher)

    def _tell(self, kind: RecordType, id_: int, type_: str, actor: Actor) -> None:
        for watcher in self._watchers:
            watcher(Change(kind, id_, type_, actor))

    @property
    def schema(self) -> Schema:
        """The record types with the custom fields deployed now."""
        key = (self.storage.schema_version, self.switches.oneworld)
        if self._schema is None or key != self._schema_key:
            self._schema, self._schema_key = Schema(self.switches, self.storage.custom_fields()), key
        return self._schema

    def kind(self, name: str) -> RecordType:
        """A record type by its REST name."""
        kind = self.schema.get(name)
        if kind is None:
            raise no_such_type(name)
        return kind

    # --- reading

    def find(self, kind: RecordType, key: str) -> int | None:
        """The id behind ``4711`` or ``eid:SFC_A``."""
        if key.startswith("eid:"):
            sql = f"SELECT id FROM {kind.table} WHERE externalid = ? AND type = ?"  # noqa: S608 - schema name
            found = self.storage.value(sql, (key.removeprefix("eid:"), kind.name))
        else:
            sql = f"SELECT id FROM {kind.table} WHERE id = ? AND type = ?"  # noqa: S608 - schema name
            number = int(key) if key.lstrip("-").isdecimal() and len(key) < 19 else None
            found = self.storage.value(sql, (number, kind.name))
        return None if found is None else int(found)

    def require(self, kind: RecordType, key: str, actor: Actor) -> Row:
        """The record behind a key; refused if there is none or it is another's private contact."""
        id_ = self.find(kind, key)
        row = self.storage.get(kind, id_) if id_ is not None else None
        if row is None:
            raise no_such_record(key)
        if kind.table == "entity":
            refuse_if_private(row, actor)
        return row

    # --- writing

    def create(
        self, kind: RecordType, body: Mapping[str, Any], options: WriteOptions, actor: Actor
    ) -> Written:
        """Add a record."""
        parsed = self.parser.record(kind, body, options)
        with self.storage.transaction():
            id_ = self.storage.insert(kind, self._rules(kind).created(kind, parsed.values, actor))
            if parsed.has_address_book:
                self.addresses.apply(id_, parsed.address_book, options, parsed.warnings)
        self._tell(kind, id_, "create", actor)
        return Written(id_, tuple(parsed.warnings))

    def update(
        self, kind: RecordType, key: str, body: Mapping[str, Any], options: WriteOptions, actor: Actor
    ) -> Written:
        """Change the properties that the body names."""
        old = self.require(kind, key, actor)
        parsed = self.parser.record(kind, body, options)
        with self.storage.transaction():
            rules = self._rules(kind)
            values = rules.changed(kind, old, parsed.values, parsed.has_address_book, actor)
            self.storage.update(kind, old["id"], values)
            if parsed.has_address_book:
                self.addresses.apply(old["id"], parsed.address_book, options, parsed.warnings)
        self._tell(kind, int(old["id"]), "edit", actor)
        return Written(int(old["id"]), tuple(parsed.warnings))

    def upsert(
        self, kind: RecordType, key: str, body: Mapping[str, Any], options: WriteOptions, actor: Actor
    ) -> Written:
        """Create or change the record with an external id (``eid:...``), as PUT does."""
        external = key.removeprefix("eid:")
        if external == key:
            raise invalid_body("An upsert needs an external ID in the URL: eid:<external ID>.")
        if self.find(kind, key) is not None:
            return self.update(kind, key, body, options, actor)
        return self.create(kind, {**body, "externalId": external}, options, actor)

    def delete(self, kind: RecordType, key: str, actor: Actor) -> None:
        """Take a record out; a row of ``deletedrecord`` and a snapshot remain."""
        row = self.require(kind, key, actor)
        if kind.table == "entity" and row["locked"]:
            raise user_error(LOCKED)
        if self.switches.delete_with_dependents == "refuse" and self._has_dependents(kind, row):
            raise user_error(HAS_DEPENDENTS)
        self.erase(kind, row, actor, listed=True)

    def erase(self, kind: RecordType, row: Row, actor: Actor, *, listed: bool) -> None:
        """Take a record out without asking; ``listed``: ``deletedrecord`` shows it."""
        id_, now = row["id"], self.calendar.now()
        snapshot = orjson.dumps({**self.presenter.flat(kind, row), "isDeleted": True}).decode()
        with self.storage.transaction():
            if kind.table == "entity":
                for column in _REFERRING:
                    self.storage.execute(f"UPDATE entity SET {column} = NULL WHERE {column} = ?", (id_,))  # noqa: S608
                self.storage.execute("DELETE FROM address WHERE entity = ?", (id_,))
                self.storage.execute("DELETE FROM relation WHERE company = ?", (id_,))
                self.storage.execute("DELETE FROM relation WHERE contact = ?", (id_,))
                self.storage.execute("DELETE FROM secondary_subsidiary WHERE customer = ?", (id_,))
                self.storage.execute(
                    "INSERT INTO deleted VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        id_,
                        kind.name,
                        row["entityid"],
                        now,
                        self.calendar.local(now),
                        actor.user_id,
                        actor.context,
                        "T" if listed else "F",
                        snapshot,
                    ),
                )
            self.storage.remove(kind, id_)
        self._tell(kind, int(id_), "delete", actor)

    def _rules(self, kind: RecordType) -> Rules:
        return self._entity_rules if kind.table == "entity" else self._list_rules

    def _has_dependents(self, kind: RecordType, row: Row) -> bool:
        if kind.table == "entity":
            used = " OR ".join(f"{column} = :id" for column in _REFERRING)
            sql = f"SELECT 1 FROM entity WHERE {used} LIMIT 1"  # noqa: S608 - names of this module
            return bool(row["referenced"]) or self.storage.row(sql, {"id": row["id"]}) is not None
        column, table = ("role", "relation") if kind.name == "contactRole" else ("subsidiary", "entity")
        sql = f"SELECT 1 FROM {table} WHERE {column} = ? LIMIT 1"  # noqa: S608 - one of two names
        return self.storage.row(sql, (row["id"],)) is not None
