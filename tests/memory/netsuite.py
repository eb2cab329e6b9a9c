"""A NetSuite account in memory: `NetSuitePort` without a network, for tests of the engine and for simulation.

It keeps the rules of the account that matter to a sync (netsuite.md 2.3, 2.4, 3.3, 8): names are unique
within a company, external ids are unique over all entity types, texts are trimmed and limited in length,
references must exist, deletes and merges leave a trace in the change feed. Methods named `user_…` act as a
person in NetSuite would. Failures are injected per kind of call; calls are counted by kind.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.memory.observing import Observer, Touched

from twinbook.domain.attachments import PRIMARY_CONTACT
from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.domain.ids import named_by
from twinbook.domain.ports import (
    Changes,
    ContactQuery,
    Create,
    Delete,
    Failed,
    FieldMeta,
    Guard,
    Listing,
    NetSuiteWrite,
    Schema,
    Stamp,
    Stamps,
    Update,
    WriteResult,
    Written,
    unguarded,
)
from twinbook.domain.records import Entity, Fields, Key, NetSuiteContact, NetSuiteCustomer, Side, Value
from twinbook.netsuite.errors import concerns_login
from twinbook.netsuite.fields import BOOLEAN, DOCUMENTED, TEXT

WRITES = (
    "create_contact",
    "update_contact",
    "delete_contact",
    "attach",
    "detach",
    "create_customer",
    "update_customer",
)
EXTERNAL_ID = re.compile(r"[A-Za-z0-9_-]{1,255}")
_EPOCH = datetime(2026, 10, 1, tzinfo=UTC)
_NAME_PARTS = ("firstName", "middleName", "lastName")


@dataclass(slots=True)
class Fault:
    """What the next `times` calls of a kind meet. `after_commit`: the write is done, its answer is lost."""

    error: TemporaryError | PermanentError
    times: int
    after_commit: bool = False


@dataclass(slots=True)
class _Record:
    """One stored record; `fields` holds what is not empty. `sequence` orders changes, `modified` is shown."""

    id: str
    entity: Entity
    fields: dict[str, Value]
    external_id: str | None
    sequence: int
    modified: str


@dataclass(slots=True)
class MemoryNetSuite:
    """An account. `step_s` is how far its clock moves with each write: 0 gives writes of the same second. `attached`
    holds contact roles by (customer, contact)."""

    id_field: str = "custentity_twinbook_sf_id"
    locked_field: str = "custentity_twinbook_locked"
    names_unique: str = "company"
    oneworld: bool = True
    page_size: int = 1000
    step_s: float = 1.0
    custom_fields: Mapping[str, FieldMeta] = field(default_factory=dict)
    hidden: bool = False
    notice: str | None = None
    before_call: Callable[[str], Awaitable[None]] | None = None
    observer: Observer | None = None
    calls: Counter[str] = field(default_factory=Counter)
    attached: dict[tuple[str, str], str | None] = field(default_factory=dict)
    _records: dict[str, _Record] = field(default_factory=dict)
    _deleted: list[tuple[int, Key]] = field(default_factory=list)
    _faults: dict[str, list[Fault]] = field(default_factory=dict)
    _refusals: dict[str, PermanentError] = field(default_factory=dict)
    _sequence: int = 0
    _clock: datetime = _EPOCH
    _next_id: int = 1000

    # What tests ask and arrange

    @property
    def writes(self) -> int:
        """How many calls so far tried to write."""
        return sum(self.calls[kind] for kind in WRITES)

    @property
    def contacts(self) -> list[NetSuiteContact]:
        """All contacts, in the order of their ids."""
        return [self._contact(record) for record in self._all(Entity.CONTACT)]

    @property
    def customers(self) -> list[NetSuiteCustomer]:
        return [self._customer(record) for record in self._all(Entity.ACCOUNT)]

    def contact(self, netsuite_id: str) -> NetSuiteContact:
        """The contact; KeyError when there is none."""
        return self._contact(self._records[netsuite_id])

    def fail(
        self, kind: str, error: TemporaryError | PermanentError, *, times: int = 1, after_commit: bool = False
    ) -> None:
        """Let the next `times` calls of `kind` (a method name, or `*` for any) meet `error`."""
        self._faults.setdefault(kind, []).append(Fault(error, times, after_commit))

    def throttle(self, kind: str = "*", *, times: int = 1, retry_after: float | None = None) -> None:
        """Answer 429 to the next calls."""
        text = "Concurrent request limit exceeded. Request blocked."
        self.fail(
            kind, TemporaryError("CONCURRENCY_LIMIT_EXCEEDED", text, retry_after=retry_after), times=times
        )

    def lose_answer(self, kind: str, *, times: int = 1) -> None:
        """Carry out the next writes of a kind, but never answer them."""
        lost = TemporaryError(
            "NO_ANSWER", "The connection ended before an answer came.", outcome_unknown=True
        )
        self.fail(kind, lost, times=times, after_commit=True)

    def refuse(self, record: str, error: PermanentError | None) -> None:
        """Refuse each write of a record (by NetSuite id; creates by correlation id) until None is given."""
        if error is None:
            self._refusals.pop(record, None)
        else:
            self._refusals[record] = error

    # What a person does in NetSuite

    def user_creates_customer(self, name: str, *, external_id: str | None = None, **fields: Value) -> str:
        """Create a customer and give its id; raises PermanentError where NetSuite would refuse."""
        named = {"companyName": name, "entityId": name, **fields}
        return self._insert(Entity.ACCOUNT, named, external_id).id

    def user_creates_contact(self, *, external_id: str | None = None, **fields: Value) -> str:
        """Create a contact and give its id; raises PermanentError where NetSuite would refuse."""
        return self._insert(Entity.CONTACT, fields, external_id).id

    def user_edits(self, netsuite_id: str, changes: Fields) -> None:
        """Change fields of a contact or customer; raises PermanentError where NetSuite would refuse."""
        self._change(self._records[netsuite_id], changes)

    def user_edits_unseen(self, netsuite_id: str, changes: Fields) -> None:
        """An edit that does not move the record's time of modification: within its second, or to its address only."""
        record = self._records[netsuite_id]
        modified = record.modified
        self._change(record, changes)
        record.modified = modified

    def forget_deletes(self) -> None:
        """The account keeps no trace of what was deleted or merged away."""
        self._deleted.clear()

    def user_inactivates(self, netsuite_id: str) -> None:
        self.user_edits(netsuite_id, {"isInactive": True})

    def user_deletes(self, netsuite_id: str) -> None:
        record = self._records.pop(netsuite_id)
        sequence, _ = self._tick()
        self._deleted.append((sequence, Key(record.entity, Side.NETSUITE, record.id)))
        self._tell(record, alive=False)

    def user_merges(self, winner_id: str, loser_id: str) -> None:
        """Merge two contacts: blanks of the winner are filled, the loser vanishes."""
        winner, loser = self._records[winner_id], self._records[loser_id]
        self.user_deletes(loser_id)
        self._change(
            winner, {name: value for name, value in loser.fields.items() if name not in winner.fields}
        )

    # NetSuitePort

    async def find_contacts(self, query: ContactQuery) -> Sequence[NetSuiteContact]:
        await self._enter("find_contacts")
        emails, names = _folded(query.emails), _folded(query.names)
        external_ids = {*query.salesforce_ids, *(f"SFC_{id_}" for id_ in query.salesforce_ids)}
        return [
            self._contact(record)
            for record in self._all(Entity.CONTACT)
            if record.id in query.ids
            or record.external_id in external_ids
            or record.fields.get(self.id_field) in query.salesforce_ids
            or _fold(record.fields.get("email")) in emails
            or _fold(record.fields.get("entityId")) in names
        ]

    async def write_contacts(
        self, writes: Mapping[str, NetSuiteWrite], guard: Guard = unguarded
    ) -> Mapping[str, WriteResult]:
        return await self._write_all(Entity.CONTACT, "contact", writes, guard)

    async def attach(self, customer_id: str, contact_id: str, role_id: str | None) -> WriteResult:
        async def put() -> str:
            self._existing(Entity.ACCOUNT, customer_id)
            self._existing(Entity.CONTACT, contact_id)
            for pair, role in self.attached.items():
                if role_id == PRIMARY_CONTACT and role == role_id and pair[0] == customer_id:
                    self.attached[pair] = None
            self.attached[customer_id, contact_id] = role_id
            return contact_id

        return await self._write("attach", contact_id, put)

    async def detach(self, customer_id: str, contact_id: str) -> WriteResult:
        async def remove() -> str:
            self.attached.pop((customer_id, contact_id), None)
            return contact_id

        return await self._write("detach", contact_id, remove)

    async def find_customers(
        self, *, ids: Sequence[str] = (), salesforce_ids: Sequence[str] = (), names: Sequence[str] = ()
    ) -> Sequence[NetSuiteCustomer]:
        await self._enter("find_customers")
        wanted = _folded(names)
        external_ids = {*salesforce_ids, *(f"SFA_{id_}" for id_ in salesforce_ids)}
        return [
            self._customer(record)
            for record in self._all(Entity.ACCOUNT)
            if record.id in ids
            or record.external_id in external_ids
            or record.fields.get(self.id_field) in salesforce_ids
            or _fold(record.fields.get("companyName")) in wanted
        ]

    async def write_customers(
        self, writes: Mapping[str, NetSuiteWrite], guard: Guard = unguarded
    ) -> Mapping[str, WriteResult]:
        return await self._write_all(Entity.ACCOUNT, "customer", writes, guard)

    async def changes_since(self, entity: Entity, cursor: str | None) -> Changes:
        await self._enter("changes_since")
        if cursor is None:
            return Changes((), str(self._sequence), more=False)
        since = int(cursor)
        changed = [(r.sequence, Key(entity, Side.NETSUITE, r.id)) for r in self._all(entity)]
        gone = [(sequence, key) for sequence, key in self._deleted if key.entity is entity]
        found = sorted(item for item in (*changed, *gone) if item[0] > since)
        page = found[: self.page_size]
        last = page[-1][0] if page else since
        gone_here = frozenset(key for _, key in page) & {key for _, key in gone}
        return Changes(tuple(key for _, key in page), str(last), len(found) > len(page), gone_here)

    async def list_keys(self, entity: Entity, after: str | None) -> Listing:
        await self._enter("list_keys")
        shown = [] if self.hidden else self._all(entity)
        ids = [r.id for r in shown if after is None or int(r.id) > int(after)]
        page = ids[: self.page_size]
        return Listing(
            tuple(Key(entity, Side.NETSUITE, id_) for id_ in page), page[-1] if len(ids) > len(page) else None
        )

    async def count(self, entity: Entity) -> int:
        await self._enter("count")
        return len(list(self._all(entity)))

    async def list_stamps(self, after: str | None) -> Stamps:
        page = await self.list_keys(Entity.CONTACT, after)
        contacts = [self._contact(self._records[key.id]) for key in page.keys]
        return Stamps(
            tuple(
                Stamp(each.id, each.version, named_by(each.salesforce_id, each.external_id))
                for each in contacts
            ),
            page.next,
        )

    async def describe(self, entity: Entity) -> Schema:
        await self._enter("describe")
        return self._schema(entity)

    # Rules of the account

    def _schema(self, entity: Entity) -> Schema:
        own = {self.id_field: FieldMeta(self.id_field, TEXT, length=300)}
        own[self.locked_field] = FieldMeta(self.locked_field, BOOLEAN)
        return {**DOCUMENTED[entity], **own, **self.custom_fields}

    async def _enter(self, kind: str) -> None:
        self.calls[kind] += 1
        if self.before_call is not None:
            await self.before_call(kind)
        fault = self._fault(kind, after_commit=False)
        if fault is not None:
            raise fault

    def _fault(self, kind: str, *, after_commit: bool) -> TemporaryError | PermanentError | None:
        for name in (kind, "*"):
            for fault in self._faults.get(name, []):
                if fault.times > 0 and fault.after_commit is after_commit:
                    fault.times -= 1
                    return fault.error
        return None

    async def _write_all(
        self, entity: Entity, noun: str, writes: Mapping[str, NetSuiteWrite], guard: Guard
    ) -> Mapping[str, WriteResult]:
        """Each record meets its own fate, side by side as over REST."""

        async def one(write: NetSuiteWrite) -> WriteResult:
            guard()
            match write:
                case Create(external_id, fields):
                    return await self._upsert(f"create_{noun}", entity, external_id, fields)
                case Update(id_, fields, version):
                    return await self._update(f"update_{noun}", entity, id_, fields, version)
                case Delete(id_):
                    return await self._delete(f"delete_{noun}", entity, id_)

        results = await asyncio.gather(*map(one, writes.values()), return_exceptions=True)
        done: dict[str, WriteResult] = {}
        for key, result in zip(writes, results, strict=True):
            if isinstance(result, BaseException):
                raise result
            done[key] = result
        return done

    async def _write(self, kind: str, record: str, act: Callable[[], Awaitable[str]]) -> WriteResult:
        try:
            await self._enter(kind)
            if record in self._refusals:
                raise self._refusals[record]
            written = await act()
        except (TemporaryError, PermanentError) as error:
            return Failed(error, of_call=concerns_login(error))
        lost = self._fault(kind, after_commit=True)
        return Failed(lost) if lost is not None else Written(written)

    async def _upsert(self, kind: str, entity: Entity, correlation_id: str, fields: Fields) -> WriteResult:
        async def put() -> str:
            if EXTERNAL_ID.fullmatch(correlation_id) is None:
                text = f"{correlation_id!r} cannot be a NetSuite external id."
                raise PermanentError("INVALID_EXTERNAL_ID", text, field="externalId", remedy="Correct it.")
            holder = self._holder(correlation_id)
            if holder is None:
                return self._insert(entity, fields, correlation_id).id
            if holder.entity is not entity:
                raise _external_id_taken()
            self._change(holder, fields)
            return holder.id

        return await self._write(kind, correlation_id, put)

    async def _update(
        self, kind: str, entity: Entity, netsuite_id: str, fields: Fields, version: str | None
    ) -> WriteResult:
        async def patch() -> str:
            record = self._existing(entity, netsuite_id)
            if version not in (None, record.modified):
                raise TemporaryError("RECORD_CHANGED", "The record was changed since it was read.")
            self._change(record, fields)
            return netsuite_id

        return await self._write(kind, netsuite_id, patch)

    async def _delete(self, kind: str, entity: Entity, netsuite_id: str) -> WriteResult:
        async def remove() -> str:
            self._existing(entity, netsuite_id)
            self.user_deletes(netsuite_id)
            return netsuite_id

        return await self._write(kind, netsuite_id, remove)

    def _existing(self, entity: Entity, netsuite_id: str) -> _Record:
        record = self._records.get(netsuite_id)
        if record is None or record.entity is not entity:
            raise PermanentError("NOT_FOUND", "The record instance does not exist.", remedy="Match it anew.")
        return record

    def _holder(self, external_id: str | None) -> _Record | None:
        if external_id is None:
            return None
        return next((r for r in self._records.values() if r.external_id == external_id), None)

    def _insert(self, entity: Entity, fields: Fields, external_id: str | None) -> _Record:
        if self._holder(external_id) is not None:
            raise _external_id_taken()
        kept = self._kept(entity, fields)
        kept.setdefault("entityId", _composed(kept) or kept.get("companyName"))
        if not kept["entityId"]:
            raise _missing("Contact" if entity is Entity.CONTACT else "Company Name", "entityId")
        if self.oneworld and entity is Entity.CONTACT and "subsidiary" not in kept:
            raise _missing("Subsidiary", "subsidiary")
        self._check_name(entity, kept, except_id=None)
        self._next_id += 1
        sequence, modified = self._tick()
        record = _Record(str(self._next_id), entity, kept, external_id, sequence, modified)
        self._records[record.id] = record
        self._tell(record)
        return record

    def _change(self, record: _Record, changes: Fields) -> None:
        changes = dict(changes)
        external_id = changes.pop("externalId", record.external_id)
        holder = self._holder(str(external_id)) if external_id else None
        if holder is not None and holder is not record:
            raise _external_id_taken()
        written = self._kept(record.entity, changes)
        kept = {n: v for n, v in record.fields.items() if n not in changes} | written
        self._check_name(record.entity, kept, except_id=record.id)
        record.fields = kept
        record.external_id = str(external_id) if external_id else None
        record.sequence, record.modified = self._tick()
        self._tell(record)

    def _kept(self, entity: Entity, fields: Fields) -> dict[str, Value]:
        """What NetSuite keeps of these fields: trimmed, empty ones dropped. Raises for what it refuses."""
        schema = self._schema(entity)
        kept: dict[str, Value] = {}
        for name, value in fields.items():
            meta = schema.get(name)
            if meta is None or not meta.writable:
                text = f"Unknown reference or field '{name}'."
                raise PermanentError(
                    "UNKNOWN_FIELD", text, field=name, remedy="Deploy the field or unmap it."
                )
            value = value.strip() if isinstance(value, str) else value
            if isinstance(value, str) and meta.length is not None and len(value) > meta.length:
                text = (
                    f"The field {name} contained more than the maximum number ({meta.length}) of characters."
                )
                raise PermanentError("FIELD_TOO_LONG", text, field=name, remedy="Shorten the value.")
            if value not in (None, "", False):
                kept[name] = value
        company = kept.get("company")
        if company is not None and str(company) not in self._records:
            text = f"You have entered an Invalid Field Value {company} for the following field: company"
            raise PermanentError("INVALID_REFERENCE", text, field="company", remedy="Choose an existing one.")
        return kept

    def _check_name(self, entity: Entity, kept: Fields, *, except_id: str | None) -> None:
        if entity is not Entity.CONTACT or self.names_unique == "off":
            return
        scope = kept.get("company") if self.names_unique == "company" else None
        for other in self._all(Entity.CONTACT):
            same_scope = self.names_unique == "global" or other.fields.get("company") == scope
            same_name = _fold(other.fields.get("entityId")) == _fold(kept.get("entityId"))
            if other.id != except_id and same_scope and same_name:
                text = "A contact record with this name already exists."
                raise PermanentError("CONTACT_NAME_TAKEN", text, field="entityId", remedy="Use another name.")

    def _tell(self, record: _Record, *, alive: bool = True) -> None:
        if self.observer is not None:
            fields = {**record.fields, "externalId": record.external_id}
            self.observer(Touched(Side.NETSUITE, record.entity, record.id, fields, alive))

    def _tick(self) -> tuple[int, str]:
        self._sequence += 1
        self._clock += timedelta(seconds=self.step_s)
        return self._sequence, self._clock.strftime("%Y-%m-%d %H:%M:%S")

    def _all(self, entity: Entity) -> Iterable[_Record]:
        return [record for record in self._records.values() if record.entity is entity]

    def _contact(self, record: _Record) -> NetSuiteContact:
        get = record.fields.get
        company = self._records.get(str(get("company")))
        return NetSuiteContact(
            id=record.id,
            fields=self._shown(record),
            version=record.modified,
            name=str(get("entityId")),
            email=_text_or_none(get("email")),
            company_id=_text_or_none(get("company")),
            company_is_customer=company is not None and company.entity is Entity.ACCOUNT,
            external_id=record.external_id,
            salesforce_id=_text_or_none(get(self.id_field)),
            inactive=bool(get("isInactive", False)),
            locked=bool(get(self.locked_field, False)),
        )

    def _customer(self, record: _Record) -> NetSuiteCustomer:
        get = record.fields.get
        return NetSuiteCustomer(
            id=record.id,
            name=str(get("companyName")),
            external_id=record.external_id,
            salesforce_id=_text_or_none(get(self.id_field)),
            subsidiary_id=_text_or_none(get("subsidiary")),
            parent_id=_text_or_none(get("parent")),
            inactive=bool(get("isInactive", False)),
            fields=self._shown(record),
        )

    def _shown(self, record: _Record) -> Fields:
        empty: dict[str, Value] = {
            meta.name: False if meta.type == BOOLEAN else None
            for meta in self._schema(record.entity).values()
        }
        return {**empty, **record.fields, "id": record.id, "externalId": record.external_id}


def _fold(value: Value) -> str | None:
    return value.strip().casefold() if isinstance(value, str) else None


def _folded(values: Iterable[str]) -> set[str]:
    return {value.strip().casefold() for value in values}


def _text_or_none(value: Value) -> str | None:
    return None if value is None else str(value)


def _composed(fields: Fields) -> str:
    return " ".join(str(fields[part]) for part in _NAME_PARTS if fields.get(part))


def _external_id_taken() -> PermanentError:
    return PermanentError(
        "EXTERNAL_ID_TAKEN", "This entity already exists.", field="externalId", remedy="Look it up."
    )


def _missing(label: str, name: str) -> PermanentError:
    return PermanentError(
        "REQUIRED_FIELD_MISSING", f"Please enter value(s) for: {label}.", field=name, remedy="Map the field."
    )
