"""Whom to tell what: adding recipients, trying them, removing them, each with its line in the audit."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from twinbook.notify.addresses import (
    Address,
    problem_with_apprise,
    problem_with_webhook,
    shown_apprise,
    shown_webhook,
)
from twinbook.notify.due import Event
from twinbook.store import audit, deliveries, recipients
from twinbook.store.audit import Act
from twinbook.store.database import Tx
from twinbook.store.recipients import Kind, Recipient
from twinbook.web.access.principal import Principal
from twinbook.web.access.secrets import new_token
from twinbook.web.dashboard import Dashboard
from twinbook.web.problems import Fault, NotFound, Problem

MOST_RECIPIENTS = 50
TEST = {"title": "Twinbook: a test", "body": "This is a test. Messages of Twinbook arrive here."}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What people want to be told: see `twinbook.notify.due.Rules`. Quiet hours: both or none."""

    events: tuple[Event, ...]
    failures_above: int = 0
    digest_minutes: int = 60
    quiet_from: int | None = None
    quiet_until: int | None = None

    @classmethod
    def of(cls, rules: Mapping[str, Any]) -> Wishes:
        """Those that are stored; of a webhook, which has none, the usual ones."""
        if not rules:
            return cls(tuple(Event))
        begin, end = rules["quiet"] or (None, None)
        events = tuple(map(Event, rules["events"]))
        return cls(events, rules["failures_above"], rules["digest_minutes"], begin, end)

    def rules(self) -> dict[str, Any]:
        """As they are stored. Raises `Problem` for what does not fit together."""
        if not self.events:
            raise _faulty("events", "Choose at least one event.")
        if (self.quiet_from is None) != (self.quiet_until is None):
            raise _faulty("quiet_until", "Quiet hours have a beginning and an end: choose both, or none.")
        if self.quiet_from is not None and self.quiet_from == self.quiet_until:
            raise _faulty("quiet_until", "Quiet hours that end when they begin are none: choose another end.")
        quiet = None if self.quiet_from is None else [self.quiet_from, self.quiet_until]
        return {
            "events": sorted(self.events),
            "failures_above": self.failures_above,
            "digest_minutes": self.digest_minutes,
            "quiet": quiet,
        }


@dataclass(frozen=True, slots=True)
class _Reached:
    """Where a recipient is: its address, and what may be read of it."""

    address: Address
    shown: str


async def add_people(dashboard: Dashboard, who: Principal, name: str, url: str, wishes: Wishes) -> int:
    """Tell people by apprise; the recipient's number. Raises `Problem` for what cannot be."""
    rules = wishes.rules()
    return await _add(dashboard, who, Kind.PEOPLE, name, await _people_at(url), rules)


async def add_webhook(dashboard: Dashboard, who: Principal, name: str, url: str) -> tuple[int, str]:
    """Tell a program; the recipient's number, and the secret of its signatures, which is shown only now."""
    secret = new_token()
    made = await _add(dashboard, who, Kind.WEBHOOK, name, _webhook_at(url, secret), {})
    return made, secret


async def change_people(
    dashboard: Dashboard, who: Principal, recipient_id: int, name: str, url: str, wishes: Wishes
) -> Recipient:
    """Tell them something else, or elsewhere: without `url` the address stays. Raises `Problem`."""
    rules = wishes.rules()
    reached = await _people_at(url) if url.strip() else None
    return await _change(dashboard, who, Kind.PEOPLE, recipient_id, name, reached, rules)


async def change_webhook(
    dashboard: Dashboard, who: Principal, recipient_id: int, name: str, url: str
) -> Recipient:
    """Tell the program at another address, signed with the same secret; without `url` the address stays."""
    found = await dashboard.read(lambda tx: _must(tx, recipient_id, Kind.WEBHOOK))
    reached = None
    if url.strip():
        packed = dashboard.sealer.open(found.sealed)
        if packed is None:
            detail = "It was encrypted with another key file. Remove it, and add it anew."
            raise Problem(409, "The secret of this webhook cannot be read", detail)
        reached = _webhook_at(url, Address.unpacked(packed).secret)
    return await _change(dashboard, who, Kind.WEBHOOK, recipient_id, name, reached, {})


async def test(dashboard: Dashboard, who: Principal, recipient_id: int) -> Recipient:
    """Queue a test, which is sent like everything else."""
    now = dashboard.now()

    def work(tx: Tx) -> Recipient:
        found = _must(tx, recipient_id)
        content = TEST if found.kind is Kind.PEOPLE else {"event": "test", "at": now}
        if not deliveries.put(tx, recipient_id, content, now=now):
            raise Problem(409, "Too much waits for this recipient", "Remove it, or wait until it is sent.")
        audit.note(tx, Act(who.login, "notification.tested", found.name), now=now)
        return found

    return await dashboard.write(work)


async def remove(dashboard: Dashboard, who: Principal, recipient_id: int) -> Recipient:
    """With all that waits for it."""
    now = dashboard.now()

    def work(tx: Tx) -> Recipient:
        found = _must(tx, recipient_id)
        recipients.remove(tx, recipient_id)
        audit.note(tx, Act(who.login, "notification.removed", found.name), now=now)
        return found

    return await dashboard.write(work)


async def try_again(dashboard: Dashboard, who: Principal, delivery_id: int) -> None:
    """What was given up is sent once more."""
    now = dashboard.now()

    def work(tx: Tx) -> None:
        if not deliveries.revive(tx, delivery_id, now=now):
            raise NotFound("message")
        audit.note(tx, Act(who.login, "notification.retried", str(delivery_id)), now=now)

    await dashboard.write(work)


async def _people_at(url: str) -> _Reached:
    url = url.strip()
    if fault := await asyncio.to_thread(problem_with_apprise, url):
        raise _faulty("url", fault)
    return _Reached(Address(url), shown_apprise(url))


def _webhook_at(url: str, secret: str) -> _Reached:
    url = url.strip()
    if fault := problem_with_webhook(url):
        raise _faulty("url", fault)
    return _Reached(Address(url, secret), shown_webhook(url))


async def _add(
    dashboard: Dashboard, who: Principal, kind: Kind, name: str, reached: _Reached, rules: Mapping[str, Any]
) -> int:
    name, now, shown = _named(name), dashboard.now(), reached.shown
    sealed = dashboard.sealer.seal(reached.address.packed())

    def work(tx: Tx) -> int:
        if len(recipients.everybody(tx)) >= MOST_RECIPIENTS:
            raise Problem(
                409, "There are too many recipients", f"{MOST_RECIPIENTS} are allowed; remove some."
            )
        made = recipients.add(tx, kind, name=name, shown=shown, sealed=sealed, rules=rules, now=now)
        audit.note(
            tx, Act(who.login, "notification.added", name, detail={"kind": kind, "to": shown}), now=now
        )
        return made

    return await dashboard.write(work)


async def _change(
    dashboard: Dashboard,
    who: Principal,
    kind: Kind,
    recipient_id: int,
    name: str,
    reached: _Reached | None,
    rules: Mapping[str, Any],
) -> Recipient:
    name, now = _named(name), dashboard.now()

    def work(tx: Tx) -> Recipient:
        found = _must(tx, recipient_id, kind)
        shown = reached.shown if reached else found.shown
        sealed = dashboard.sealer.seal(reached.address.packed()) if reached else found.sealed
        recipients.change(tx, recipient_id, name=name, shown=shown, sealed=sealed, rules=rules)
        detail = {"kind": kind, "to": shown, "address_changed": reached is not None}
        audit.note(tx, Act(who.login, "notification.changed", name, detail=detail), now=now)
        return _must(tx, recipient_id, kind)

    return await dashboard.write(work)


def _named(name: str) -> str:
    if not name.strip():
        raise _faulty("name", "Give it a name, so that it can be told from others.")
    return name.strip()


def _must(tx: Tx, recipient_id: int, kind: Kind | None = None) -> Recipient:
    found = recipients.by_id(tx, recipient_id)
    if found is None or kind not in (None, found.kind):
        raise NotFound("recipient")
    return found


def _faulty(field: str, message: str) -> Problem:
    return Problem(422, "The request has faults", "Correct what is named.", faults=[Fault(field, message)])
