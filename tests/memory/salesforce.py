"""A Salesforce org in memory: `SalesforcePort` and `EventPort` without a network, for tests and simulation.

It keeps the rules of the org that matter to a sync (salesforce.md 2.4, 3.5, 3.6, 4.3, 4.7, 6): required and
unknown fields, lengths, unique ids, references that must exist, person accounts that cannot be written,
recycle bin, merge, and a change event for every commit, our own included. Methods named `user_…` act as a
person in Salesforce would. Failures are injected per kind of call; calls are counted by kind.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum

from tests.memory.observing import Observer, Touched
from tests.memory.salesforce_events import MemoryEvents
from tests.memory.salesforce_faults import Unreliable
from tests.memory.salesforce_fields import REQUIRED, schema_of

from twinbook.domain.errors import PermanentError
from twinbook.domain.ids import to_18
from twinbook.domain.ports import (
    Allowance,
    Changes,
    EventBatch,
    Failed,
    FieldMeta,
    Listing,
    Schema,
    Stamp,
    Stamps,
    WriteResult,
    Written,
)
from twinbook.domain.records import (
    Entity,
    Fields,
    Key,
    Relation,
    SalesforceAccount,
    SalesforceContact,
    Side,
    Value,
)
from twinbook.salesforce.config import SalesforceConfig
from twinbook.salesforce.errors import from_record

WRITES = ("update_contacts", "delete_contacts", "update_accounts", "upsert_contacts")
PREFIXES = {
    Entity.ACCOUNT: "001",
    Entity.CONTACT: "003",
    Entity.OPPORTUNITY: "006",
    Entity.QUOTE: "0Q0",
    Entity.OPPORTUNITY_CONTACT_ROLE: "00K",
    Entity.ACCOUNT_CONTACT_RELATION: "07k",
    Entity.ACCOUNT_CONTACT_ROLE: "02Z",
}
ROLE_FIELD = {
    Entity.OPPORTUNITY_CONTACT_ROLE: "Role",
    Entity.ACCOUNT_CONTACT_RELATION: "Roles",
    Entity.ACCOUNT_CONTACT_ROLE: "Role",
}

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_EPOCH = datetime(2026, 10, 1, tzinfo=UTC)
_REFERENCES = {
    "AccountId": Entity.ACCOUNT,
    "ParentId": Entity.ACCOUNT,
    "ContactId": Entity.CONTACT,
    "OpportunityId": Entity.OPPORTUNITY,
}


class _NoField(Enum):
    """Stands for the value of a field that the org does not have; such fields are left out of records."""

    NO_FIELD = "no field"


_NO_FIELD = _NoField.NO_FIELD


# The names of who acts: a person, or Twinbook by its ports.
USER, INTEGRATION = "Ruth Vogel", "Integration User"


@dataclass(slots=True)
class _Record:
    """One stored record; `fields` holds what is not empty. `sequence` orders changes, `modified` is shown."""

    id: str
    entity: Entity
    fields: dict[str, Value]
    sequence: int
    modified: datetime
    saved_by: str = USER
    deleted: bool = False
    merged_into: str | None = None

    def text(self, name: str) -> str | None:
        value = self.fields.get(name)
        return None if value is None else str(value)


@dataclass(slots=True)
class MemorySalesforce(Unreliable):
    """An org. `step_s` is how far its clock moves with each write: 0 gives writes of the same second.

    `custom_fields` are added to the contact's fields. `events` holds the faults of the event stream.
    """

    config: SalesforceConfig = field(default_factory=SalesforceConfig)
    page_size: int = 2000
    step_s: float = 1.0
    hidden: bool = False
    usage: Allowance | None = None
    events: MemoryEvents = field(default_factory=MemoryEvents)
    observer: Observer | None = None
    custom_fields: Mapping[str, FieldMeta] = field(default_factory=dict)
    _records: dict[str, _Record] = field(default_factory=dict)
    _by_entity: dict[Entity, dict[str, _Record]] = field(default_factory=lambda: {e: {} for e in PREFIXES})
    _clock: datetime = _EPOCH
    _next_id: int = 1

    # What tests ask and arrange

    @property
    def writes(self) -> int:
        """How many calls so far tried to write."""
        return sum(self.calls[kind] for kind in WRITES)

    @property
    def contacts(self) -> list[SalesforceContact]:
        """All live contacts, in the order of their ids."""
        return [self._contact(record) for record in self._live(Entity.CONTACT)]

    def contact(self, salesforce_id: str) -> SalesforceContact:
        """The contact, deleted or not; KeyError when there is none."""
        return self._contact(self._records[salesforce_id])

    def account(self, salesforce_id: str) -> SalesforceAccount:
        return self._account(self._records[salesforce_id])

    # What a person does in Salesforce

    def user_creates_account(self, name: str, **fields: Value) -> str:
        return self._insert(Entity.ACCOUNT, {"Name": name, **fields}).id

    def user_creates_contact(self, **fields: Value) -> str:
        """Create a contact and give its id; raises PermanentError where Salesforce would refuse."""
        return self._insert(Entity.CONTACT, fields).id

    def user_creates_opportunity(self, account_id: str, *, won: bool = False) -> str:
        return self._insert(Entity.OPPORTUNITY, {"AccountId": account_id, "IsWon": won}).id

    def user_creates_quote(self, account_id: str) -> str:
        return self._insert(Entity.QUOTE, {"AccountId": account_id}).id

    def user_gives_role(self, entity: Entity, contact_id: str, role: str, **fields: Value) -> str:
        """Create a role object; several roles of an account-contact relation are separated by `;`."""
        return self._insert(entity, {"ContactId": contact_id, ROLE_FIELD[entity]: role, **fields}).id

    def user_wins(self, opportunity_id: str) -> None:
        self.user_edits(opportunity_id, {"IsWon": True})

    def user_edits(self, record_id: str, changes: Fields) -> None:
        """Change fields of any record; raises PermanentError where Salesforce would refuse."""
        self._change(self._existing(record_id), changes)

    def user_deletes(self, record_id: str) -> None:
        """Put a record into the recycle bin, with its contacts, opportunities and roles."""
        for record in self._with_children(self._existing(record_id)):
            record.deleted = True
            self._touch(record)

    def user_undeletes(self, record_id: str) -> None:
        record = self._records[record_id]
        record.deleted = False
        self._touch(record)

    def user_purges(self, record_id: str) -> None:
        """Empty a record out of the recycle bin: no event, no trace."""
        record = self._records.pop(record_id)
        del self._by_entity[record.entity][record_id]

    def user_merges(self, winner_id: str, loser_id: str) -> None:
        """Merge two contacts or accounts: children move to the winner, the loser goes to the recycle bin."""
        winner, loser = self._existing(winner_id), self._existing(loser_id)
        for child in self._children(loser):
            for name, value in child.fields.items():
                if value == loser_id:
                    child.fields[name] = winner_id
            self._touch(child)
        loser.deleted, loser.merged_into = True, winner_id
        self._touch(winner)
        self._touch(loser)

    # SalesforcePort

    async def read_contacts(self, ids: Sequence[str]) -> Mapping[str, SalesforceContact]:
        await self._enter("read_contacts", len(ids))
        return {record.id: self._contact(record) for record in self._found(Entity.CONTACT, ids)}

    async def read_with_losers(self, ids: Sequence[str]) -> Mapping[str, SalesforceContact]:
        read = await self.read_contacts(ids)
        losers = self._losers(Entity.CONTACT, ids)
        return {id_: replace(contact, losers=losers.get(id_, ())) for id_, contact in read.items()}

    async def read_accounts(self, ids: Sequence[str]) -> Mapping[str, SalesforceAccount]:
        await self._enter("read_accounts", len(ids))
        return {record.id: self._account(record) for record in self._found(Entity.ACCOUNT, ids)}

    async def lead(self, keys: Sequence[Key]) -> Mapping[Key, tuple[Key, ...]]:
        await self._enter("lead", len(keys))
        led: dict[Key, tuple[Key, ...]] = {}
        for key in keys:
            record = self._records.get(key.id)
            to_account = key.entity in (Entity.OPPORTUNITY, Entity.QUOTE)
            target = record.text("AccountId" if to_account else "ContactId") if record else None
            if target is not None:
                entity = Entity.ACCOUNT if to_account else Entity.CONTACT
                led[key] = (Key(entity, Side.SALESFORCE, target),)
        return led

    async def losers_of(self, entity: Entity, winner_ids: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        await self._enter("losers_of")
        return self._losers(entity, winner_ids)

    async def contacts_of_accounts(self, account_ids: Sequence[str], after: str | None) -> Listing:
        await self._enter("contacts_of_accounts")
        wanted = set(account_ids)
        related = {
            relation.text("ContactId")
            for relation in self._live(Entity.ACCOUNT_CONTACT_RELATION)
            if self.config.relations and relation.text("AccountId") in wanted
        }
        contacts = self._live(Entity.CONTACT)
        return self._page([r for r in contacts if r.text("AccountId") in wanted or r.id in related], after)

    async def children_of_accounts(self, account_ids: Sequence[str], after: str | None) -> Listing:
        await self._enter("children_of_accounts")
        wanted = set(account_ids)
        return self._page([r for r in self._live(Entity.ACCOUNT) if r.text("ParentId") in wanted], after)

    async def list_keys(self, entity: Entity, after: str | None) -> Listing:
        await self._enter("list_keys")
        return self._page([] if self.hidden else self._live(entity), after)

    async def allowances(self) -> Sequence[Allowance]:
        await self._enter("allowances")
        return [self.usage] if self.usage else []

    async def list_stamps(self, after: str | None) -> Stamps:
        page = await self.list_keys(Entity.CONTACT, after)
        contacts = [self._contact(self._records[key.id]) for key in page.keys]
        stamps = (
            Stamp(each.id, each.version, each.netsuite_id, each.account_customer_id) for each in contacts
        )
        return Stamps(tuple(stamps), page.next)

    async def count(self, entity: Entity) -> int:
        await self._enter("count")
        return len(self._live(entity))

    async def changes_since(self, entity: Entity, cursor: str | None) -> Changes:
        await self._enter("changes_since")
        if cursor is None:
            return Changes((), str(self.events.sequence), more=False)
        since = int(cursor)
        records = (r for r in self._by_entity[entity].values() if r.sequence > since)
        found = sorted(records, key=lambda record: record.sequence)
        page = found[: self.page_size]
        last = page[-1].sequence if page else since
        keys = tuple(Key(entity, Side.SALESFORCE, record.id) for record in page)
        return Changes(keys, str(last), more=len(found) > len(page))

    async def update_contacts(self, changes: Mapping[str, Fields]) -> Mapping[str, WriteResult]:
        return await self._update("update_contacts", changes)

    async def update_accounts(self, changes: Mapping[str, Fields]) -> Mapping[str, WriteResult]:
        return await self._update("update_accounts", changes)

    async def delete_contacts(self, ids: Sequence[str]) -> Mapping[str, WriteResult]:
        def remove(id_: str, _: Fields) -> str:
            self.user_deletes(id_)
            return id_

        return await self._batch("delete_contacts", {id_: {} for id_ in ids}, remove)

    async def upsert_contacts(self, records: Mapping[str, Fields]) -> Mapping[str, WriteResult]:
        def upsert(netsuite_id: str, fields: Fields) -> str:
            holder = self._holder(Entity.CONTACT, netsuite_id)
            if holder is None:
                made = self._insert(Entity.CONTACT, {**fields, self.config.id_field: netsuite_id})
                made.saved_by = INTEGRATION
                return made.id
            return self._write(holder, fields)

        return await self._batch("upsert_contacts", records, upsert)

    async def find_contacts(
        self, *, emails: Sequence[str] = (), netsuite_ids: Sequence[str] = ()
    ) -> Sequence[SalesforceContact]:
        await self._enter("find_contacts")
        carrying = self._carrying(Entity.CONTACT, netsuite_ids)
        found = {record.id: record for record in (*self._by_email(emails), *carrying)}
        return [self._contact(record) for record in found.values()]

    async def find_accounts(self, customer_ids: Sequence[str]) -> Sequence[SalesforceAccount]:
        await self._enter("find_accounts")
        return [self._account(record) for record in self._carrying(Entity.ACCOUNT, customer_ids)]

    async def search_contacts(self, emails: Sequence[str]) -> Sequence[str]:
        await self._enter("search_contacts")
        return [record.id for record in self._by_email(emails)]

    async def describe(self, entity: Entity) -> Schema:
        await self._enter("describe")
        return self._schema(entity)

    # EventPort

    def subscribe(self, entity: Entity, position: bytes | None) -> AsyncIterator[EventBatch]:
        return self.events.subscribe(entity, position)

    # Rules of the org

    def _losers(self, entity: Entity, winner_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
        losers: dict[str, tuple[str, ...]] = {}
        for record in sorted(self._by_entity[entity].values(), key=lambda record: record.id):
            if record.merged_into in winner_ids:
                winner = str(record.merged_into)
                losers[winner] = (*losers.get(winner, ()), record.id)
        return losers

    async def _update(self, kind: str, changes: Mapping[str, Fields]) -> Mapping[str, WriteResult]:
        return await self._batch(kind, changes, lambda id_, fields: self._write(self._existing(id_), fields))

    async def _batch(
        self, kind: str, records: Mapping[str, Fields], write: Callable[[str, Fields], str]
    ) -> Mapping[str, WriteResult]:
        await self._enter(kind, len(records))
        results: dict[str, WriteResult] = {}
        for key, fields in records.items():
            try:
                self._check_refusal(key)
                results[key] = Written(write(key, fields))
            except PermanentError as error:
                results[key] = Failed(error)
        self._leave(kind)
        return results

    def _write(self, record: _Record, fields: Fields) -> str:
        if record.entity is Entity.CONTACT and record.fields.get("IsPersonAccount"):
            raise _refusal(
                "INVALID_FIELD_FOR_INSERT_UPDATE", "Contact: person accounts are edited as accounts"
            )
        self._change(record, fields)
        record.saved_by = INTEGRATION
        return record.id

    def _insert(self, entity: Entity, fields: Fields) -> _Record:
        checked = self._checked(entity, fields)
        kept: dict[str, Value] = {name: value for name, value in checked.items() if value is not None}
        required = REQUIRED.get(entity)
        if required is not None and required not in kept:
            raise _refusal("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{required}]", required)
        self._check_unique(entity, kept, except_id=None)
        record = _Record(self._make_id(entity), entity, kept, 0, self._clock)
        self._records[record.id] = self._by_entity[entity][record.id] = record
        self._touch(record)
        return record

    def _change(self, record: _Record, changes: Fields) -> None:
        checked = self._checked(record.entity, changes)
        required = REQUIRED.get(record.entity)
        if required in checked and checked[required] is None:
            raise _refusal("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{required}]", required)
        self._check_unique(record.entity, checked, except_id=record.id)
        record.fields = {n: v for n, v in (record.fields | checked).items() if v is not None}
        self._touch(record)

    def _checked(self, entity: Entity, fields: Fields) -> dict[str, Value]:
        """What Salesforce keeps of these fields: trimmed, blanks as None. Raises for what it refuses."""
        schema = self._schema(entity)
        kept: dict[str, Value] = {}
        for name, value in fields.items():
            meta = schema.get(name)
            if meta is None and entity in (Entity.CONTACT, Entity.ACCOUNT):
                raise _refusal("INVALID_FIELD", f"No such column '{name}' on sobject of type {entity}", name)
            value = (value.strip() or None) if isinstance(value, str) else value
            if meta is not None:
                _check_value(meta, value)
            target = _REFERENCES.get(name)
            if target is not None and value is not None:
                self._check_reference(name, target, str(value))
            kept[name] = value
        return kept

    def _check_reference(self, name: str, target: Entity, record_id: str) -> None:
        record = self._records.get(record_id)
        if record is None or record.entity is not target or record.deleted:
            raise _refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", name)

    def _check_unique(self, entity: Entity, fields: Fields, *, except_id: str | None) -> None:
        netsuite_id = fields.get(self.config.id_field)
        holder = None if netsuite_id is None else self._holder(entity, str(netsuite_id))
        if holder is not None and holder.id != except_id:
            text = f"duplicate value found: {self.config.id_field} duplicates value on record with id: {holder.id}"
            raise _refusal("DUPLICATE_VALUE", text, self.config.id_field)

    def _existing(self, record_id: str) -> _Record:
        record = self._records.get(record_id)
        if record is None:
            raise _refusal("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", "Id")
        if record.deleted:
            raise _refusal("ENTITY_IS_DELETED", "entity is deleted")
        return record

    def _holder(self, entity: Entity, netsuite_id: str) -> _Record | None:
        name = self.config.id_field
        return next((r for r in self._live(entity) if r.fields.get(name) == netsuite_id), None)

    def _touch(self, record: _Record) -> None:
        self._clock += timedelta(seconds=self.step_s)
        record.modified, record.saved_by = self._clock, USER
        record.sequence = self.events.publish(record.entity, (record.id,), self._clock.timestamp())
        if self.observer is not None:
            kept = dict(record.fields)
            self.observer(Touched(Side.SALESFORCE, record.entity, record.id, kept, not record.deleted))

    def _make_id(self, entity: Entity) -> str:
        serial, digits = self._next_id, ""
        self._next_id += 1
        while serial:
            serial, digit = divmod(serial, 62)
            digits = _DIGITS[digit] + digits
        return to_18(f"{PREFIXES[entity]}5g0{digits:0>9}")

    def _schema(self, entity: Entity) -> Schema:
        custom = self.custom_fields if entity is Entity.CONTACT else {}
        own = schema_of(entity, self.config)
        return {**own, **custom} if custom else own

    # Looking things up

    def _live(self, entity: Entity) -> list[_Record]:
        return [r for r in self._by_entity[entity].values() if not r.deleted]

    def _found(self, entity: Entity, ids: Sequence[str]) -> list[_Record]:
        found = (self._records.get(id_) for id_ in ids)
        return [record for record in found if record is not None and record.entity is entity]

    def _by_email(self, emails: Sequence[str]) -> list[_Record]:
        wanted = {email.strip().casefold() for email in emails}
        return [r for r in self._live(Entity.CONTACT) if (r.text("Email") or "").casefold() in wanted]

    def _carrying(self, entity: Entity, netsuite_ids: Sequence[str]) -> list[_Record]:
        return [r for r in self._live(entity) if r.text(self.config.id_field) in netsuite_ids]

    def _children(self, parent: _Record) -> list[_Record]:
        return [r for r in self._records.values() if not r.deleted and parent.id in r.fields.values()]

    def _with_children(self, record: _Record) -> list[_Record]:
        children = [child for child in self._children(record) if child.fields.get("ParentId") != record.id]
        return [*(each for child in children for each in self._with_children(child)), record]

    def _page(self, records: Sequence[_Record], after: str | None) -> Listing:
        ids = sorted(record.id for record in records if after is None or record.id > after)
        page = ids[: self.page_size]
        keys = tuple(Key(self._records[id_].entity, Side.SALESFORCE, id_) for id_ in page)
        return Listing(keys, page[-1] if len(ids) > len(page) else None)

    def _contact(self, record: _Record) -> SalesforceContact:
        account = self._records.get(record.text("AccountId") or "")
        config = self.config
        return SalesforceContact(
            id=record.id,
            fields=self._shown(record),
            version=_stamp(record.modified),
            account_id=record.text("AccountId"),
            account_name=account.text("Name") if account else None,
            account_customer_id=account.text(config.id_field) if account else None,
            netsuite_id=record.text(config.id_field),
            roles=self._roles(record.id),
            is_person_account=bool(record.fields.get("IsPersonAccount", False)),
            push_requested=bool(record.fields.get(config.push_field, False)),
            status=record.text(config.status_field),
            status_message=record.text(config.message_field),
            netsuite_link=record.text(config.link_field),
            deleted=record.deleted,
            merged_into=record.merged_into,
            relations=tuple(self._relations(record.id)) if config.relations else (),
            saved_by=record.saved_by,
        )

    def _account(self, record: _Record) -> SalesforceAccount:
        opportunities = self._live(Entity.OPPORTUNITY)
        parent = self._records.get(record.text("ParentId") or "")
        return SalesforceAccount(
            id=record.id,
            name=record.text("Name") or "",
            fields=self._shown(record),
            version=_stamp(record.modified),
            netsuite_id=record.text(self.config.id_field),
            parent_id=record.text("ParentId"),
            parent_customer_id=parent.text(self.config.id_field) if parent else None,
            has_won_opportunity=any(
                each.fields.get("AccountId") == record.id and bool(each.fields.get("IsWon"))
                for each in opportunities
            ),
            has_quote=any(each.fields.get("AccountId") == record.id for each in self._live(Entity.QUOTE)),
            push_requested=bool(record.fields.get(self.config.push_field, False)),
            is_person_account=bool(record.fields.get("IsPersonAccount", False)),
            status=record.text(self.config.status_field),
            status_message=record.text(self.config.message_field),
            netsuite_link=record.text(self.config.link_field),
            deleted=record.deleted,
            merged_into=record.merged_into,
            saved_by=record.saved_by,
        )

    def _roles(self, contact_id: str) -> frozenset[str]:
        texts = (
            record.text(ROLE_FIELD[record.entity])
            for entity in self.config.role_sources
            for record in self._live(entity)
            if record.fields.get("ContactId") == contact_id
        )
        return frozenset(role for text in texts if text for role in text.split(";"))

    def _relations(self, contact_id: str) -> Iterator[Relation]:
        for entity in sorted(self.config.role_sources):
            for record in self._live(entity):
                deal = self._records.get(record.text("OpportunityId") or "")
                account = self._records.get((deal or record).text("AccountId") or "")
                if record.text("ContactId") == contact_id and account is not None:
                    roles = record.text(ROLE_FIELD[entity]) or ""
                    yield Relation(
                        account.id,
                        account.text(self.config.id_field),
                        frozenset(filter(None, roles.split(";"))),
                        active=bool(record.fields.get("IsActive", True)),
                        primary=bool(record.fields.get("IsPrimary", False)),
                        of_opportunity=deal is not None,
                    )

    def _shown(self, record: _Record) -> Fields:
        """The fields that the settings ask for, or all of them when they ask for none."""
        own = self.config.contact_fields if record.entity is Entity.CONTACT else self.config.account_fields
        values = {name: self._value(record, name) for name in own or self._schema(record.entity)}
        return {name: value for name, value in values.items() if value is not _NO_FIELD}

    def _value(self, record: _Record, name: str) -> Value | _NoField:
        if name.startswith("Account."):
            account = self._records.get(record.text("AccountId") or "")
            return self._value(account, name.removeprefix("Account.")) if account else None
        meta = self._schema(record.entity).get(name)
        if meta is None:
            return _NO_FIELD
        return record.fields.get(name, False if meta.type == "boolean" else None)


def _check_value(meta: FieldMeta, value: Value) -> None:
    if not isinstance(value, str):
        return
    if meta.length is not None and len(value) > meta.length:
        text = f"{meta.name}: data value too large: {value} (max length={meta.length})"
        raise _refusal("STRING_TOO_LONG", text, meta.name)
    if meta.name == "Email" and ("@" not in value or " " in value):
        raise _refusal("INVALID_EMAIL_ADDRESS", f"Email: invalid email address: {value}", "Email")
    if meta.values is not None and value not in meta.values:
        text = f"{meta.name}: bad value for restricted picklist field: {value}"
        raise _refusal("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", text, meta.name)


def _refusal(code: str, message: str, *fields: str) -> PermanentError:
    error = from_record([{"statusCode": code, "message": message, "fields": list(fields)}])
    assert isinstance(error, PermanentError)
    return error


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")
