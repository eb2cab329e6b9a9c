"""The emulated org as the rest of the sandbox sees it: its routes, its change log, and what its users can do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from cryptography.x509 import load_pem_x509_certificate
from starlette.routing import BaseRoute

from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.core.control import Action, SiteError
from twinbook_sandbox.salesforce import recycle
from twinbook_sandbox.salesforce.api import Api
from twinbook_sandbox.salesforce.bulk_ingest import BulkIngestResources
from twinbook_sandbox.salesforce.bulk_query import BulkQueryResources
from twinbook_sandbox.salesforce.changed_lists import ChangedListResources
from twinbook_sandbox.salesforce.changes import ChangeLog
from twinbook_sandbox.salesforce.composite import CompositeResources
from twinbook_sandbox.salesforce.describe import DescribeResources
from twinbook_sandbox.salesforce.errors import STATUS_OF_CODE, ApiError, RefusedError
from twinbook_sandbox.salesforce.http import api_routes
from twinbook_sandbox.salesforce.ids import normalise
from twinbook_sandbox.salesforce.oauth import LOGIN_HOSTS, OAuth
from twinbook_sandbox.salesforce.permissions import from_metadata
from twinbook_sandbox.salesforce.query import QueryResources
from twinbook_sandbox.salesforce.rules import ValidationRule
from twinbook_sandbox.salesforce.schema import ObjectSchema
from twinbook_sandbox.salesforce.sessions import SessionInfo
from twinbook_sandbox.salesforce.sobject_collections import CollectionResources
from twinbook_sandbox.salesforce.sobjects import SObjectResources
from twinbook_sandbox.salesforce.state import OrgState
from twinbook_sandbox.salesforce.switches import SalesforceSwitches
from twinbook_sandbox.salesforce.times import datetime_text
from twinbook_sandbox.salesforce.values import to_api
from twinbook_sandbox.salesforce.work import Actor, UnitOfWork

_USER_INTERFACE = "com/salesforce/api/soap/66.0;client=SfdcInternalAPI/"
"""The change origin of edits in Lightning (salesforce.md 3.7)."""
_RECYCLE_BIN_DAYS = 15


class SalesforceOrg:
    """One org. It is the `Site` of the control plane, and serves the REST, OAuth and Bulk API.

    `path` names a file to keep the data in; without one it is in memory. `base_url` is the org's address as
    clients reach it; when empty, each client is told the address it used.
    """

    name = "salesforce"

    def __init__(self, clock: Clock, *, path: str | None = None, seed: int = 1, base_url: str = "") -> None:
        self._state = OrgState(clock, path, seed, base_url.rstrip("/"))
        self.switches: SalesforceSwitches = self._state.switches
        self.changes: ChangeLog = self._state.changes
        self._queries = QueryResources(self._state)
        self._bulk_queries = BulkQueryResources(self._state)
        self._bulk_ingests = BulkIngestResources(self._state)
        self._api = Api(self._state, self._resources())
        self._oauth = OAuth(self._state)

    def _resources(self) -> list[Any]:
        """All resources; of two that fit a path the first one answers."""
        composite = CompositeResources(
            self._state,
            lambda call, method, rest, query, body: self._api.dispatch(
                call.session, call.version, method, rest, query, call.headers, body
            ),
        )
        groups = (
            DescribeResources(self._state),
            self._queries,
            ChangedListResources(self._state),
            CollectionResources(self._state),
            composite,
            self._bulk_queries,
            self._bulk_ingests,
            SObjectResources(self._state),
        )
        return [resource for group in groups for resource in group.resources()]

    # what the sandbox is built from

    def routes(self) -> list[BaseRoute]:
        """The routes under `/services`."""
        return api_routes(self._api, self._oauth)

    def classify(self, method: str, path: str, query_string: str) -> str:
        """The kind of an HTTP call, such as `contact.patch`, `query`, `collections.update`, `token`."""
        return self._api.classify(method, path, query_string)

    def set_base_url(self, base_url: str) -> None:
        """Tell the org its address, once it is known."""
        self._state.login_url = base_url.rstrip("/")

    def check_token(self, token: str) -> SessionInfo | None:
        """The live session behind an access token."""
        return self._state.sessions.check(token)

    def schema_of(self, entity: str) -> ObjectSchema:
        """An object in the org's present set-up. Raises KeyError."""
        return self._state.schemas[entity]

    def hidden_fields(self, entity: str) -> frozenset[str] | None:
        """The fields of an object that the integration user may not see, in events either; None where it lacks View All
        Records on the object, and gets no events at all."""
        permissions = self._state.permissions
        if permissions is not None and not permissions.access(entity).view_all:
            return None
        whole, seen = self._state.schemas[entity], self._state.visible.get(entity)
        return frozenset(each.name for each in whole.fields if seen is None or seen.field(each.name) is None)

    def credentials(self) -> dict[str, Any]:
        """All that a client needs to log in."""
        identity = self._state.identity
        return {
            "login_url": self._state.login_url,
            "consumer_key": identity.consumer_key,
            "consumer_secret": identity.consumer_secret,
            "username": identity.integration.username,
            "private_key": identity.private_key,
            "certificate": identity.certificate,
            "audiences": [*LOGIN_HOSTS],
            "org_id": identity.org_id,
            "user_id": identity.integration.id_,
            "users": [asdict(person) for person in identity.users],
            "api_version": f"{self.switches.newest_api_version}.0",
        }

    def close(self) -> None:
        """Let go of files and the database."""
        self._bulk_queries.close_all()
        self._bulk_ingests.close_all()
        self._state.storage.close()

    # the acts of a user

    def reset(self) -> None:
        """Forget all data; credentials and sessions stay."""
        self._queries.close_all()
        self._bulk_queries.close_all()
        self._bulk_ingests.close_all()
        self._state.reset()

    def insert(self, type_: str, fields: dict[str, Any], *, user: str | None = None) -> str:
        """Create a record; returns its id."""
        with self._acting(user) as work:
            return work.insert(self._object(type_), fields)

    def insert_many(self, type_: str, records: list[dict[str, Any]], *, user: str | None = None) -> list[str]:
        """Create records in one transaction; returns their ids."""
        with self._acting(user) as work:
            return [work.insert(self._object(type_), fields) for fields in records]

    def update(self, type_: str, id_: str, fields: dict[str, Any], *, user: str | None = None) -> None:
        """Change fields of a record."""
        with self._acting(user) as work:
            work.update(self._object(type_), _id(id_), fields)

    def delete(self, type_: str, id_: str, *, user: str | None = None) -> None:
        """Move a record to the recycle bin."""
        with self._acting(user) as work:
            recycle.delete(work, self._object(type_), _id(id_))

    def read(self, type_: str, id_: str) -> dict[str, Any] | None:
        """All fields of a record, deleted ones too."""
        schema = self._schema(type_)
        row = self._state.storage.get(schema.name, _id(id_))
        return _record(schema, row) if row else None

    def list(self, type_: str, where: dict[str, Any], limit: int, offset: int) -> list[dict[str, Any]]:
        """Records whose fields have these values, by id. Deleted ones only with `IsDeleted` among them."""
        schema = self._schema(type_)
        conditions = {} if schema.field("IsDeleted") is None else {"IsDeleted": False}
        conditions |= {self._field(schema, name): value for name, value in where.items()}
        clauses = " AND ".join(f'"{name}" IS ?' for name in conditions) or "1"
        sql = f'SELECT * FROM "{schema.name}" WHERE {clauses} ORDER BY "Id" LIMIT ? OFFSET ?'  # noqa: S608
        rows = self._state.storage.rows(sql, (*conditions.values(), limit, offset))
        return [_record(schema, row) for row in rows]

    def search(
        self, type_: str, text: str, fields: Sequence[str], limit: int, offset: int
    ) -> tuple[Sequence[dict[str, Any]], int]:
        """Live records with a text in one of the fields, last changed first, and how many there are."""
        schema = self._schema(type_)
        where, values = '"IsDeleted"=0', [text.casefold()] * len(fields)
        if text and fields:
            tests = [f'instr(fold("{self._field(schema, name)}"), ?)' for name in fields]
            where += f" AND ({' OR '.join(tests)})"
        else:
            values = []
        storage, source = self._state.storage, f'FROM "{schema.name}" WHERE {where}'
        order = 'ORDER BY "SystemModstamp" DESC, "_row" DESC LIMIT ? OFFSET ?'
        total = int(storage.select(f"SELECT count(*) {source}", values).fetchone()[0])
        rows = storage.rows(f"SELECT * {source} {order}", [*values, limit, offset])
        return [_record(schema, row) for row in rows], total

    def count(self, type_: str) -> int:
        """How many live records an object has."""
        return self._state.storage.count(self._object(type_))

    def revoke_tokens(self) -> int:
        """End all sessions."""
        return self._state.sessions.close_all()

    def actions(self) -> dict[str, Action]:
        """Further acts by name."""
        return {
            "undelete": self._undelete,
            "purge": self._purge,
            "empty_recycle_bin": self._empty_recycle_bin,
            "merge": self._merge,
            "set_certificate": self._set_certificate,
            "expire_session": self._expire_session,
            "set_validation_rule": self._set_validation_rule,
            "clear_rules": self._clear_rules,
            "lock_record": self._lock_record,
            "assign_permission_sets": self._assign_permission_sets,
            "unassign_permission_sets": self._unassign_permission_sets,
        }

    def _undelete(self, order: dict[str, Any]) -> None:
        """Bring a record back from the recycle bin: {type, id}."""
        with self._acting(order.get("user")) as work:
            recycle.undelete(work, self._object(order["type"]), _id(order["id"]))

    def _purge(self, order: dict[str, Any]) -> None:
        """Remove a record from the recycle bin for good: {type, id}."""
        with self._acting(order.get("user")) as work:
            recycle.purge(work, self._object(order["type"]), _id(order["id"]))

    def _empty_recycle_bin(self, order: dict[str, Any]) -> dict[str, int]:
        """Remove what was deleted so many days ago, 15 by default: {days?}."""
        days = float(order.get("days", _RECYCLE_BIN_DAYS))
        before = datetime_text(self._state.clock.now() - timedelta(days=days) + timedelta(seconds=1))
        with self._acting(order.get("user")) as work:
            return {"purged": recycle.purge_all(work, before)}

    def _merge(self, order: dict[str, Any]) -> None:
        """Merge records into a master: {type, master, losers: [1 or 2 ids], fields?}."""
        losers = [_id(each) for each in order["losers"]]
        with self._acting(order.get("user")) as work:
            recycle.merge(
                work, self._object(order["type"]), _id(order["master"]), losers, order.get("fields") or {}
            )

    def _set_certificate(self, order: dict[str, Any]) -> None:
        """Upload the certificate that JWT assertions are checked with: {certificate: PEM}."""
        load_pem_x509_certificate(str(order["certificate"]).encode())
        self._state.certificate = str(order["certificate"])

    def _expire_session(self, order: dict[str, Any]) -> dict[str, bool]:
        """End one session: {token}."""
        return {"ended": self._state.sessions.close(str(order["token"]))}

    def _set_validation_rule(self, order: dict[str, Any]) -> None:
        """Refuse records whose field has a value: {type, field, forbidden, message}."""
        schema = self._schema(order["type"])
        rule = ValidationRule(
            schema.name, self._field(schema, order["field"]), order["forbidden"], str(order["message"])
        )
        self._state.records.rules.validation.append(rule)

    def _clear_rules(self, _order: dict[str, Any]) -> None:
        """Remove all validation rules and record locks."""
        self._state.records.rules.clear()

    def _lock_record(self, order: dict[str, Any]) -> None:
        """Make the next writes to a record fail with UNABLE_TO_LOCK_ROW: {id, times?}."""
        self._state.records.rules.locks[_id(order["id"])] = int(order.get("times", 1))

    def _assign_permission_sets(self, order: dict[str, Any]) -> dict[str, int]:
        """The integration user may do what these permission sets allow and nothing else: {metadata: [XML]}."""
        self._state.permissions = from_metadata(map(str, order["metadata"]))
        return {
            "objects": len(self._state.permissions.objects),
            "fields": len(self._state.permissions.fields),
        }

    def _unassign_permission_sets(self, _order: dict[str, Any]) -> None:
        """The integration user may do everything, as at the start."""
        self._state.permissions = None

    @contextmanager
    def _acting(self, user: str | None) -> Iterator[UnitOfWork]:
        """Write as a user in Lightning, the administrator unless another is named. Raises SiteError."""
        people = self._state.identity
        person = people.find_user(user) if user else people.people[0]
        if person is None:
            known = ", ".join(each.username for each in people.users)
            raise SiteError(404, "UNKNOWN_USER", f"there is no user {user}: choose one of {known}", "user")
        actor = Actor(person.id_, _USER_INTERFACE, self._state.schemas, saves_duplicates=True)
        try:
            with self._state.records.unit_of_work(actor) as work:
                yield work
        except RefusedError as refused:
            first = refused.problems[0]
            status = STATUS_OF_CODE.get(first.code, 400)
            raise SiteError(status, first.code, first.message, next(iter(first.fields), None)) from None
        except ApiError as error:
            raise SiteError(error.status, error.code, error.message) from None

    def _object(self, type_: str) -> str:
        return self._schema(type_).name

    def _schema(self, type_: str) -> ObjectSchema:
        for schema in self._state.schemas.values():
            if schema.name.lower() == type_.lower():
                return schema
        known = ", ".join(self._state.schemas)
        raise SiteError(404, "INVALID_TYPE", f"there is no object {type_}: choose one of {known}", "type")

    def _field(self, schema: ObjectSchema, name: str) -> str:
        field = schema.field(name)
        if field is None or not field.stored:
            raise SiteError(400, "INVALID_FIELD", f"{schema.name} has no field {name}", name)
        return field.name


def _id(text: str) -> str:
    id_ = normalise(str(text))
    if id_ is None:
        raise SiteError(404, "MALFORMED_ID", f"{text} is no Salesforce id of 15 or 18 characters", "id")
    return id_


def _record(schema: ObjectSchema, row: dict[str, Any]) -> dict[str, Any]:
    return {each.name: to_api(each, row[each.name]) for each in schema.fields if each.stored}
