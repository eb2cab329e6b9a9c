"""Examining the org: login, the package's fields, each permission that these settings need, and change events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator
from dataclasses import dataclass, replace

from twinbook.composition import Sides, salesforce_config, watched
from twinbook.doctor.checks import Check, Page, Verdict, asked, broken
from twinbook.domain.errors import PermanentError, SideError
from twinbook.domain.plan import Trigger
from twinbook.domain.policy import Accounts, DeletedInNetSuite
from twinbook.domain.ports import EventsUnavailable
from twinbook.domain.records import Entity, Side
from twinbook.engine.running.ingest import SUBSCRIBED
from twinbook.salesforce.auth import Token
from twinbook.salesforce.layouts import placed
from twinbook.salesforce.schema import SOBJECTS, ObjectFacts, OrgFacts, check_version, facts_of, object_facts
from twinbook.settings import ConnectionSettings, account_policy, contact_policy

ONE_WAY, BOTH_WAYS = "Twinbook Integration", "Twinbook Integration: both ways"
DEPLOY = (
    "Deploy the package: in packages/salesforce, sf project deploy start --source-dir force-app. Then "
    f"Setup > Permission Sets > {ONE_WAY} > Manage Assignments: add the integration user."
)
PUSH_ACTION = "Push_to_NetSuite"
PLURALS = {"Contact": "Contacts", "Account": "Accounts"}


def object_settings(permission_set: str, sobject: str) -> str:
    """Where the rights on an object and its fields are granted."""
    place = PLURALS.get(sobject, sobject)
    return f"Setup > Permission Sets > {permission_set} > Object Settings > {place} > Edit"


async def examine_salesforce(settings: ConnectionSettings, sides: Sides) -> AsyncIterator[Check]:
    rest = sides.salesforce.rest
    token, check = await asked(Page.SALESFORCE_LOGIN, "salesforce.login", "Salesforce login", rest.login)
    yield check
    if token is None:
        return
    check = await _version(settings, sides)
    yield check
    if check.verdict is Verdict.BROKEN:
        return
    found: list[ObjectFacts] = []
    for sobject in ("Contact", "Account"):
        facts, check = await _object(sides, sobject)
        yield check
        found += [facts] if facts else []
    if len(found) == 2:
        async for check in _Examination(settings, sides, token, *found).checks():
            yield check


async def _version(settings: ConnectionSettings, sides: Sides) -> Check:
    wanted = settings.salesforce.api_version

    async def served() -> None:
        check_version(wanted, await sides.salesforce.rest.versions())

    _, check = await asked(Page.SALESFORCE_LOGIN, "salesforce.api-version", "Salesforce API version", served)
    return check if check.verdict is Verdict.BROKEN else _ok(check, wanted)


async def _object(sides: Sides, sobject: str) -> tuple[ObjectFacts | None, Check]:
    page, code, name = Page.SALESFORCE_PACKAGE, f"salesforce.read.{sobject}", f"Salesforce: read {sobject}"
    try:
        described = await sides.salesforce.rest.describe(sobject)
    except PermanentError as error:
        if error.code != "NOT_FOUND":
            return None, broken(page, code, name, error)
        hidden = f"the integration user may not read {sobject} records"
        remedy = f"{object_settings(ONE_WAY, sobject)}: tick Read and View All Records."
        return None, Check(page, code, name, Verdict.BROKEN, hidden, remedy)
    except SideError as error:
        return None, broken(page, code, name, error)
    return object_facts(described), Check(page, code, name, Verdict.OK)


def _ok(check: Check, detail: str) -> Check:
    return replace(check, verdict=Verdict.OK, detail=detail, remedy="")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Fields of one object that are needed for one purpose."""

    sobject: str
    purpose: str
    fields: tuple[str, ...]
    edit: bool
    serious: bool
    remedy: str

    def check(self, facts: ObjectFacts) -> Check:
        hidden = [name for name in self.fields if name not in facts.fields]
        locked = [
            name
            for name in self.fields
            if self.edit and name in facts.fields and not facts.fields[name].writable
        ]
        parts = [f"not there or hidden: {', '.join(hidden)}"] if hidden else []
        parts += [f"may not be edited: {', '.join(locked)}"] if locked else []
        code = f"salesforce.{self.purpose.replace(' ', '-')}.{self.sobject}"
        name = f"Salesforce: {self.purpose} on {self.sobject}"
        if not parts:
            return Check(Page.SALESFORCE_PACKAGE, code, name, Verdict.OK)
        verdict = Verdict.BROKEN if self.serious else Verdict.ADVICE
        return Check(Page.SALESFORCE_PACKAGE, code, name, verdict, "; ".join(parts), self.remedy)


class _Examination:
    """All that needs both describes."""

    def __init__(
        self,
        settings: ConnectionSettings,
        sides: Sides,
        token: Token,
        contact: ObjectFacts,
        account: ObjectFacts,
    ) -> None:
        self._settings = settings
        self._sides = sides
        self._config = salesforce_config(settings)
        self._contacts = contact_policy(settings)
        self._accounts = account_policy(settings)
        self._objects = {"Contact": contact, "Account": account}
        self._facts: OrgFacts = facts_of(token, contact, account, self._config)
        self._to_salesforce = self._contacts.direction.reaches(Side.SALESFORCE)

    async def checks(self) -> AsyncIterator[Check]:
        for check in (*self._rights(), *self._fields(), *self._mapped(), *self._objects_besides()):
            yield check
        for sobject in self._objects:
            async for check in self._layout(sobject):
                yield check
        async for check in self._limits():
            yield check
        if self._settings.salesforce.change_events == "auto":
            for source in watched(self._settings, self._facts):
                if source.side is Side.SALESFORCE and source.entity in SUBSCRIBED:
                    yield await self._events(source.entity)

    def _rights(self) -> Iterator[Check]:
        writes_accounts = self._accounts.accounts is Accounts.SYNC
        yield self._right("Contact", "edit", self._objects["Contact"].updateable, ONE_WAY)
        if writes_accounts:
            yield self._right("Account", "edit", self._objects["Account"].updateable, ONE_WAY)
        if self._to_salesforce and self._contacts.create:
            yield self._right("Contact", "create", self._objects["Contact"].createable, BOTH_WAYS)
        if self._to_salesforce and self._contacts.deleted_in_netsuite is DeletedInNetSuite.DELETE:
            yield self._right("Contact", "delete", self._objects["Contact"].deletable, "a set of your own")

    def _right(self, sobject: str, right: str, held: bool, permission_set: str) -> Check:
        code, name = f"salesforce.{right}.{sobject}", f"Salesforce: {right} {sobject}"
        if held:
            return Check(Page.SALESFORCE_PACKAGE, code, name, Verdict.OK)
        return Check(
            Page.SALESFORCE_PACKAGE,
            code,
            name,
            Verdict.BROKEN,
            f"the integration user may not {right} {sobject} records",
            f"{object_settings(permission_set, sobject)}: tick {right.capitalize()}.",
        )

    def _fields(self) -> Iterator[Check]:
        config = self._config
        for sobject, tie in (("Contact", "AccountId"), ("Account", "ParentId")):
            edits_id = sobject == "Contact" or self._accounts.accounts is Accounts.SYNC
            yield self._id_field(_Wanted(sobject, "id field", (config.id_field,), edits_id, True, DEPLOY))
            show = f"{object_settings(ONE_WAY, sobject)}: Field Permissions, tick Read Access."
            yield self._of(_Wanted(sobject, "account field", (tie,), False, True, show))
            push = f"{DEPLOY} Without it people push with `twinbook push`."
            yield self._of(_Wanted(sobject, "push checkbox", (config.push_field,), True, False, push))
            yield self._status(sobject)

    def _of(self, wanted: _Wanted) -> Check:
        return wanted.check(self._objects[wanted.sobject])

    def _id_field(self, wanted: _Wanted) -> Check:
        check, facts, [name] = self._of(wanted), self._objects[wanted.sobject], wanted.fields
        if check.verdict is not Verdict.OK or wanted.sobject != "Contact":
            return check
        missing = [
            word
            for word, marked in (("External ID", facts.external_ids), ("Unique", facts.unique))
            if name not in marked
        ]
        if not missing:
            return _ok(check, name)
        # Contacts from NetSuite are created by an upsert on this field, which is safe only where it is both.
        return replace(
            check,
            verdict=Verdict.BROKEN if self._to_salesforce else Verdict.ADVICE,
            detail=f"{name} is not marked {', '.join(missing)}",
            remedy=f"Setup > Object Manager > Contact > Fields > {name} > Edit: tick {' and '.join(missing)}.",
        )

    def _status(self, sobject: str) -> Check:
        names = self._config.status_fields
        there = tuple(name for name in names if name in self._objects[sobject].fields)
        check = self._of(_Wanted(sobject, "status fields", names if there else (), True, False, DEPLOY))
        if there or self._settings.salesforce.status_fields == "off":
            return check
        return _ok(check, "none installed: the status is shown by Twinbook only")

    async def _layout(self, sobject: str) -> AsyncIterator[Check]:
        """Whether people can see the status, and push: what is installed and on no page helps nobody."""
        there, config = self._objects[sobject].fields, self._config
        shown = [name for name in config.status_fields if name in there]
        action = [f"{sobject}.{PUSH_ACTION}"] if config.push_field in there else []
        if not (shown or action):
            return
        code, name = f"salesforce.layout.{sobject}", f"Salesforce: page layout of {sobject}"
        rest = self._sides.salesforce.rest
        found, check = await asked(Page.SALESFORCE_PACKAGE, code, name, lambda: placed(rest, sobject))
        if found is None:
            yield replace(check, verdict=Verdict.ADVICE)
            return
        missing = [each for each in shown if each not in found.fields]
        missing += [each for each in action if each not in found.actions]
        yield (
            replace(
                check,
                verdict=Verdict.ADVICE,
                detail=f"not on it: {', '.join(missing)}",
                remedy=(
                    f"Setup > Object Manager > {sobject} > Page Layouts: add the fields, and the action under "
                    "Salesforce Mobile and Lightning Experience Actions. If a record's page shows them already by "
                    "dynamic forms (Edit Page), all is well: this check cannot see those."
                ),
            )
            if missing
            else check
        )

    def _mapped(self) -> Iterator[Check]:
        for sobject, missing in (
            ("Contact", self._facts.missing_contact_fields),
            ("Account", self._facts.missing_account_fields),
        ):
            remedy = (
                f"{object_settings(ONE_WAY, sobject)}: tick Read Access, or take the rows out of the mapping."
            )
            yield self._unseen(sobject, missing, remedy)
            if self._to_salesforce:
                grant = f"{object_settings(BOTH_WAYS, sobject)}: Field Permissions, tick Edit Access."
                yield self._of(_Wanted(sobject, "written fields", self._written(sobject), True, False, grant))

    def _unseen(self, sobject: str, missing: Collection[str], remedy: str) -> Check:
        code, name = f"salesforce.mapped-fields.{sobject}", f"Salesforce: mapped fields on {sobject}"
        if not missing:
            return Check(Page.SALESFORCE_PACKAGE, code, name, Verdict.OK)
        seen = f"the integration user does not see {', '.join(missing)}; these rows are left out"
        return Check(Page.SALESFORCE_PACKAGE, code, name, Verdict.ADVICE, seen, remedy)

    def _written(self, sobject: str) -> tuple[str, ...]:
        """The mapped fields that Twinbook writes and the user sees; those that it does not see are told already."""
        policy = self._contacts if sobject == "Contact" else self._accounts
        rows = (row for row in policy.mapping.rows if row.direction.reaches(Side.SALESFORCE))
        names = {row.salesforce for row in rows} & self._objects[sobject].fields.keys()
        return tuple(sorted(names))

    def _objects_besides(self) -> Iterator[Check]:
        """What is read through relations from contacts and accounts."""
        for trigger, there, sobject in (
            (Trigger.CLOSED_WON, self._facts.won_opportunities, "Opportunity"),
            (Trigger.QUOTE, self._facts.quotes, "Quote"),
        ):
            if trigger in self._accounts.triggers:
                yield self._related(
                    sobject, there, f"the trigger {trigger.value} sees nothing", Verdict.BROKEN
                )
        found = {source.entity for source in self._facts.role_sources}
        for entity in sorted(self._config.role_sources):
            effect = "its roles do not count"
            yield self._related(SOBJECTS[entity], entity in found, effect, Verdict.ADVICE)

    def _related(self, sobject: str, there: bool, effect: str, otherwise: Verdict) -> Check:
        code, name = f"salesforce.read.{sobject}", f"Salesforce: read {sobject}"
        if there:
            return Check(Page.SALESFORCE_PACKAGE, code, name, Verdict.OK)
        return Check(
            Page.SALESFORCE_PACKAGE,
            code,
            name,
            otherwise,
            f"{sobject} records do not exist here, or are hidden from the integration user: {effect}",
            f"Setup > Permission Sets: grant Read on {sobject}, and Read Access to its account field "
            "(docs/install-salesforce.md lists the sets).",
        )

    async def _limits(self) -> AsyncIterator[Check]:
        calls = Check(Page.SALESFORCE_LOGIN, "salesforce.api-budget", "Salesforce API budget", Verdict.OK)
        events = Check(Page.SALESFORCE_EVENTS, "salesforce.event-budget", "Change event budget", Verdict.OK)
        limits, check = await asked(calls.page, calls.code, calls.name, self._sides.salesforce.rest.limits)
        if limits is None:
            yield check
            return
        if "DailyApiRequests" in limits:
            yield _budget(calls, "calls", **limits["DailyApiRequests"])
        if "DailyDeliveredPlatformEvents" in limits:
            yield _budget(events, "event deliveries", **limits["DailyDeliveredPlatformEvents"])

    async def _events(self, entity: Entity) -> Check:
        sobject = SOBJECTS[entity]
        code, name = f"salesforce.events.{sobject}", f"Change events for {entity.value.replace('_', ' ')}"
        page = Page.SALESFORCE_EVENTS
        try:
            await self._sides.events.check(entity)
        except EventsUnavailable as why:
            return Check(
                page,
                code,
                name,
                Verdict.ADVICE,
                f"not available ({why}); it is polled instead",
                f"Setup > Change Data Capture: select {sobject}. {object_settings(ONE_WAY, sobject)}: tick View All "
                "Records.",
            )
        except SideError as error:
            return broken(page, code, name, error)
        return Check(page, code, name, Verdict.OK, "in real time")


def _budget(check: Check, what: str, *, Max: int, Remaining: int, **_more: int) -> Check:  # noqa: N803 - its names
    detail = f"{Remaining:,} of {Max:,} {what} left today"
    if Remaining > Max / 10:
        return _ok(check, detail)
    remedy = "Less than a tenth is left: see what else uses the org's allowance."
    return replace(check, verdict=Verdict.ADVICE, detail=detail, remedy=remedy)
