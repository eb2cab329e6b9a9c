"""The org's parts put together: data, rules, sessions and set-up, for the API and for the control plane."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random

from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.salesforce.changes import ChangeLog
from twinbook_sandbox.salesforce.identity import INTEGRATION, ORG_NAME, Identity, Person, make_identity
from twinbook_sandbox.salesforce.objects import ALL_OBJECTS, schemas_with
from twinbook_sandbox.salesforce.permissions import Permissions
from twinbook_sandbox.salesforce.schema import ObjectSchema
from twinbook_sandbox.salesforce.sessions import Sessions
from twinbook_sandbox.salesforce.soql.compiler import Compiler, Statement
from twinbook_sandbox.salesforce.soql.execution import Executor
from twinbook_sandbox.salesforce.soql.parser import parse
from twinbook_sandbox.salesforce.storage import Row, Storage
from twinbook_sandbox.salesforce.switches import SalesforceSwitches
from twinbook_sandbox.salesforce.times import datetime_text
from twinbook_sandbox.salesforce.usage import ApiUsage
from twinbook_sandbox.salesforce.work import Records

Schemas = Mapping[str, ObjectSchema]


class OrgState:
    """One org. `login_url` is its address; `certificate` the PEM that JWT logins are checked with.

    `permissions` are those of the integration user, which may do everything where they are None.
    """

    def __init__(self, clock: Clock, path: str | None, seed: int, login_url: str) -> None:
        self.clock = clock
        self.login_url = login_url
        self.switches = SalesforceSwitches()
        self.changes = ChangeLog()
        self.storage = Storage(path, ALL_OBJECTS)
        self.identity: Identity = make_identity(seed, self.storage)
        self.certificate = self.identity.certificate
        self.permissions: Permissions | None = None
        self._seed = seed
        self._set_up: tuple[object, Schemas, Schemas] | None = None
        self.set_up_at = clock.now()
        random = Random(f"org {seed}")  # noqa: S311
        self.sessions = Sessions(
            clock, random, self.identity.org_id, lambda: self.switches.session_timeout_seconds
        )
        self.usage = ApiUsage()
        self.executor = Executor(self.storage)
        self.records = Records(self.storage, clock, self.switches, self.changes, lambda: self.schemas, random)
        if self.storage.count("Organization") == 0:
            self._found()

    @property
    def schemas(self) -> Schemas:
        """All objects in the org's present set-up."""
        return self._current()[1]

    @property
    def visible(self) -> Schemas:
        """The objects with the fields that the integration user may see."""
        return self._current()[2]

    def _current(self) -> tuple[object, Schemas, Schemas]:
        switches = self.switches
        hidden = tuple(switches.hidden_fields)
        key = (switches.features(), switches.person_name_order, hidden, self.permissions)
        if self._set_up is None or self._set_up[0] != key:
            self.set_up_at = self.clock.now()
            full = schemas_with(switches.features(), switches.person_name_order)
            self._set_up = (key, full, _without(self._permitted(full), frozenset(hidden)))
        return self._set_up

    def _permitted(self, schemas: Schemas) -> Schemas:
        permissions = self.permissions
        if permissions is None:
            return schemas
        return {
            name: permissions.narrowed(schema)
            for name, schema in schemas.items()
            if permissions.access(name).read
        }

    def compile(self, soql: str, *, with_deleted: bool) -> Statement:
        """Compile a query of the integration user. Raises ApiError."""
        today = self.clock.now().date()
        return Compiler(soql, self.visible, today, with_deleted=with_deleted).compile(parse(soql))

    def reset(self) -> None:
        """Forget all data and usage; identity and sessions stay."""
        self.storage.clear()
        self.records.rules.clear()
        self.usage.clear()
        self.permissions = None
        self._found()

    def _found(self) -> None:
        """Write the records of the org itself and its users, which no change event tells of."""
        identity = self.identity
        blank = {"CreatedDate": datetime_text(self.clock.now()), "CreatedById": identity.people[0].id_}
        blank |= {"LastModifiedDate": blank["CreatedDate"], "SystemModstamp": blank["CreatedDate"]}
        blank |= {"LastModifiedById": blank["CreatedById"], "TimeZoneSidKey": "Europe/London"}
        organization = {"Id": identity.org_id, "Name": ORG_NAME, "OrganizationType": "Enterprise Edition"}
        with self.storage.transaction():
            self.storage.insert("Organization", blank | organization | {"InstanceName": "EUW1"})
            for person in identity.users:
                self.storage.insert("User", blank | _user_row(person))


def _user_row(person: Person) -> Row:
    name = " ".join(part for part in (person.first_name, person.last_name) if part)
    return {
        "Id": person.id_,
        "Username": person.username,
        "FirstName": person.first_name,
        "LastName": person.last_name,
        "Name": name,
        "Email": person.username,
        "Alias": person.last_name[:8].lower(),
        "IsActive": 1,
        "UserType": "Standard" if person.last_name != INTEGRATION else "CsnOnly",
    }


def _without(schemas: Schemas, hidden: frozenset[str]) -> Schemas:
    if not hidden:
        return schemas
    return {
        name: replace(schema, fields=tuple(f for f in schema.fields if f"{name}.{f.name}" not in hidden))
        for name, schema in schemas.items()
    }
