"""Writing records: a unit of work is one request or one act of a user, committed as a whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.salesforce import checks
from twinbook_sandbox.salesforce.changes import ChangeLog
from twinbook_sandbox.salesforce.errors import Problem, RefusedError, refuse
from twinbook_sandbox.salesforce.ids import make_id
from twinbook_sandbox.salesforce.journal import Commit, Journal
from twinbook_sandbox.salesforce.rules import AdminRules
from twinbook_sandbox.salesforce.schema import ObjectSchema
from twinbook_sandbox.salesforce.storage import DELETED_AT, DELETED_IN, Row, Storage
from twinbook_sandbox.salesforce.switches import SalesforceSwitches
from twinbook_sandbox.salesforce.times import datetime_text
from twinbook_sandbox.salesforce.triggers import AFTER_SAVE, BEFORE_SAVE, Save
from twinbook_sandbox.salesforce.values import Acceptance

_COMMITS_PER_SECOND = 660
_SHARED_WITH_PERSONS = (
    "Salutation",
    "FirstName",
    "LastName",
    "MiddleName",
    "Suffix",
    "Phone",
    "Fax",
    "OwnerId",
)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who writes: user, change origin (salesforce.md 3.7), and the objects with the fields this user may see."""

    user_id: str
    origin: str
    visible: Mapping[str, ObjectSchema]
    saves_duplicates: bool = False


@dataclass(frozen=True, slots=True)
class SaveResult:
    """The outcome for one record; `id_` is None for a failed insert, `created` None unless it was an upsert."""

    id_: str | None
    problems: tuple[Problem, ...] = ()
    created: bool | None = None

    @property
    def success(self) -> bool:
        return not self.problems


class Records:
    """Opens units of work on the org's records."""

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        switches: SalesforceSwitches,
        changes: ChangeLog,
        schemas: Callable[[], Mapping[str, ObjectSchema]],
        random: Random,
    ) -> None:
        self.storage = storage
        self.clock = clock
        self.switches = switches
        self.rules = AdminRules()
        self.record_url: Callable[[str, str], str] = lambda entity, id_: f"/sobjects/{entity}/{id_}"
        self._changes = changes
        self._schemas = schemas
        self._random = random
        self._first_serial = random.randrange(62**5, 62**6)
        self._commit_number = 0
        self._shared: UnitOfWork | None = None

    @property
    def schemas(self) -> Mapping[str, ObjectSchema]:
        """All objects of the org in its present set-up."""
        return self._schemas()

    @contextmanager
    def unit_of_work(self, actor: Actor) -> Iterator[UnitOfWork]:
        """Write records; all of it is undone, and no change is told, when the block raises."""
        if self._shared is not None:
            with self.storage.savepoint(), self._shared.journal.tentative():
                yield self._shared
            return
        with self.storage.transaction():
            work = UnitOfWork(self, actor)
            yield work
        now = self.clock.now().replace(microsecond=0)
        self._commit_number = max(self._commit_number + 1, int(now.timestamp() * _COMMITS_PER_SECOND))
        commit = Commit(actor.user_id, actor.origin, now, self._commit_number)
        self._changes.append(
            work.journal.changes(commit, with_unchanged=self.switches.noop_update_fires_event)
        )

    @contextmanager
    def shared_unit_of_work(self, actor: Actor) -> Iterator[None]:
        """Units of work opened inside are parts of this one: all of them are kept, or none."""
        with self.unit_of_work(actor) as self._shared:
            try:
                yield
            finally:
                self._shared = None

    def new_id(self, entity: str) -> tuple[str, int]:
        """A fresh id of an object, and the row number that belongs to it."""
        serial = self.storage.next_serial(entity)
        return make_id(self.schemas[entity].key_prefix, self._first_serial + serial), serial

    def new_transaction_key(self) -> str:
        return str(UUID(int=self._random.getrandbits(112)))


class UnitOfWork:
    """The writes of one unit. Public operations check like the org and raise RefusedError; the `*_row` methods
    are what the org does by itself."""

    def __init__(self, records: Records, actor: Actor) -> None:
        self.actor = actor
        self.storage = records.storage
        self.schemas = records.schemas
        self.switches = records.switches
        self.features = records.switches.features()
        self.rules = records.rules
        self.record_url = records.record_url
        self.acceptance = Acceptance(
            records.switches.trim_text, frozenset(records.switches.restricted_picklists)
        )
        self.now_text = datetime_text(records.clock.now())
        self.journal = Journal(self.schemas, records.new_transaction_key())
        self._records = records
        self._serials: dict[str, int] = {}

    @property
    def now(self) -> datetime:
        return self._records.clock.now()

    @property
    def transaction_key(self) -> str:
        return self.journal.transaction_key

    def begin_transaction(self) -> None:
        """What follows has a transaction key of its own in change events."""
        self.journal.begin(self._records.new_transaction_key())

    def attempt(self, operation: Callable[[], SaveResult], id_: str | None = None) -> SaveResult:
        """Run one record's operation; a refusal undoes just that and becomes the result."""
        try:
            with self.storage.savepoint(), self.journal.tentative():
                return operation()
        except RefusedError as refused:
            return SaveResult(id_, refused.problems)

    # operations of users

    def insert(self, entity: str, raw: Mapping[str, Any]) -> str:
        """Create a record; returns its id."""
        given = checks.read_input(self, entity, raw, inserting=True)
        if not self.actor.visible[entity].createable:
            raise refuse("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"entity type cannot be inserted: {entity}")
        row = self.blank_row(entity) | given
        if row.get("AccountId"):
            self.rules.take_lock(row["AccountId"])
        self._save(entity, None, row, given)
        return str(row["Id"])

    def update(self, entity: str, id_: str, raw: Mapping[str, Any]) -> None:
        """Change the given fields of a record."""
        old = self.live_row(entity, id_)
        given = checks.read_input(self, entity, raw, inserting=False)
        if not self.actor.visible[entity].updateable:
            raise refuse("INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id")
        self.check_person_contact(entity, old)
        self.rules.take_lock(old["Id"])
        self._save(entity, old, old | given, given)

    def _save(self, entity: str, old: Row | None, row: Row, given: Mapping[str, Any]) -> None:
        if entity in BEFORE_SAVE:
            BEFORE_SAVE[entity](Save(self, old, row))
        checks.check_saved(self, entity, row, given)
        if old is None:
            self.create_row(entity, row)
        else:
            self.change_row(entity, old, row)
        if entity in AFTER_SAVE:
            AFTER_SAVE[entity](Save(self, old, row))

    def live_row(self, entity: str, id_: str) -> Row:
        """A record that is not deleted. Raises RefusedError."""
        row = self.storage.get(entity, id_)
        if row is None:
            raise refuse("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if row.get("IsDeleted"):
            raise refuse("ENTITY_IS_DELETED", "entity is deleted")
        return row

    def check_person_contact(self, entity: str, row: Row) -> None:
        """The contact of a person account is written through its account only (salesforce.md 6.3)."""
        if entity == "Contact" and row["IsPersonAccount"]:
            raise refuse(
                "INVALID_PERSON_ACCOUNT_OPERATION",
                "This contact belongs to a person account: edit the account instead",
            )

    # what the org does by itself

    def new_id(self, entity: str) -> str:
        id_, self._serials[id_] = self._records.new_id(entity)
        return id_

    def blank_row(self, entity: str) -> Row:
        """A new record with defaults only."""
        row: Row = dict(self.schemas[entity].defaults)
        user = self.actor.user_id
        row |= {"CreatedDate": self.now_text, "CreatedById": user}
        row |= {"LastModifiedDate": self.now_text, "LastModifiedById": user, "SystemModstamp": self.now_text}
        if "OwnerId" in row:
            row["OwnerId"] = user
        return row

    def create_row(self, entity: str, row: Row) -> None:
        """Write a new record; it gets an id unless it has one."""
        row["Id"] = row["Id"] or self.new_id(entity)
        self.storage.insert(entity, row | {"_row": self._serials.pop(row["Id"])})
        self.journal.created(entity, row)

    def change_row(self, entity: str, old: Row, changes: Mapping[str, Any]) -> None:
        """Write changed values with new modification stamps."""
        stamps = {
            "LastModifiedDate": self.now_text,
            "LastModifiedById": self.actor.user_id,
            "SystemModstamp": self.now_text,
        }
        changed = {name: value for name, value in changes.items() if value != old[name]} | stamps
        self.storage.update(entity, old["Id"], changed)
        self.journal.changed(entity, old, old | changed)

    def bury_row(self, entity: str, row: Row) -> None:
        """Move a record to the recycle bin."""
        marks = {"IsDeleted": 1, DELETED_AT: self.now_text, DELETED_IN: self.transaction_key}
        stamps = {"LastModifiedDate": self.now_text, "SystemModstamp": self.now_text}
        if row.get("MasterRecordId"):
            marks["MasterRecordId"] = row["MasterRecordId"]
        self.storage.update(entity, row["Id"], marks | stamps)
        self.journal.deleted(entity, row)

    def restore_row(self, entity: str, row: Row) -> None:
        """Bring a record back from the recycle bin."""
        marks = {"IsDeleted": 0, DELETED_AT: None, DELETED_IN: None}
        stamps = {"LastModifiedDate": self.now_text, "SystemModstamp": self.now_text}
        self.storage.update(entity, row["Id"], marks | stamps)
        self.journal.undeleted(entity, row | marks | stamps)

    def person_fields(self) -> dict[str, str]:
        """Account fields that a person account shares with its contact, with the contact's field names."""
        contact = self.schemas["Contact"]
        prefixed = (each.name for each in self.schemas["Account"].fields if each.name.startswith("Person"))
        shared = {name: name.removeprefix("Person") for name in prefixed}
        shared |= {name: name for name in _SHARED_WITH_PERSONS}
        return {
            source: name
            for source, name in shared.items()
            if (field := contact.field(name)) and field.stored and self.schemas["Account"].field(source)
        }
