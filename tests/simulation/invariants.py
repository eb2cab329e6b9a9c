"""The invariants of behaviour.md section 9, each as a check that says precisely what is wrong.

A check yields problems; every problem begins with the number of its invariant. `at_rest` are true once nothing is left
to be done, before anything is looked at anew; `in_the_end` after a sweep of everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from tests.simulation.ledger import Place
from tests.simulation.people import MARK
from tests.simulation.plant import Plant
from tests.simulation.wire import SECRET

from twinbook.domain.agreement import Agreement, agreement_on
from twinbook.domain.canonical import is_kept_form, plain_text
from twinbook.domain.mapping import ConflictPolicy, MappingRow
from twinbook.domain.plan import OutcomeKind
from twinbook.domain.policy import Direction
from twinbook.domain.reasons import Reason
from twinbook.domain.records import (
    Entity,
    Fields,
    Key,
    Link,
    LinkState,
    NetSuiteContact,
    SalesforceContact,
    Side,
)
from twinbook.store import flows, incidents, journal, links, outcomes
from twinbook.store.database import Tx
from twinbook.store.outcomes import IN_STEP, Outcome
from twinbook.store.schema import outcome as outcome_table

Check = Callable[["Scene"], Iterable[str]]


@dataclass(slots=True)
class Scene:
    """The two systems and what Twinbook says of them, at one moment."""

    plant: Plant
    here: dict[str, SalesforceContact]
    there: dict[str, NetSuiteContact]
    outcomes: dict[Key, Outcome]
    links: dict[str, Link]
    flow: flows.Flow
    read: dict[Place, int]
    lines: list[str]

    @classmethod
    def of(cls, plant: Plant, lines: list[str]) -> Scene:
        here = {contact.id: contact for contact in plant.salesforce.contacts}
        known = plant.store(lambda tx: links.by_salesforce(tx, Entity.CONTACT, _every_id(plant)))
        return cls(
            plant,
            here,
            {contact.id: contact for contact in plant.netsuite.contacts},
            plant.store(_outcomes),
            known,
            plant.store(flows.state),
            dict(plant.line.read),
            lines,
        )

    def told(self, id_: str, side: Side = Side.SALESFORCE, entity: Entity = Entity.CONTACT) -> Outcome | None:
        return self.outcomes.get(Key(entity, side, id_))


def nothing_unforeseen(scene: Scene) -> Iterator[str]:
    """Twinbook itself never fails on a record."""
    for line in scene.lines:
        if "'fault'" in line:
            yield f"0 unforeseen fault: {line}"


def no_second_target(scene: Scene) -> Iterator[str]:
    """1. What was made twice was noticed when it was made; here: nobody shares a counterpart."""
    yield from (problem for problem in scene.plant.line.ledger.problems if problem.startswith("1"))
    carried: dict[str, str] = {}
    for contact in scene.there.values():
        owner = contact.external_id
        if owner and owner.startswith("SFC_") and owner in carried:
            yield f"1 one source, two targets: {owner} is carried by {carried[owner]} and {contact.id}"
        carried[owner or ""] = contact.id


def no_edit_is_lost(scene: Scene) -> Iterator[str]:
    """2. What the engine wrote over is in the journal, with the value that it was."""
    yield from (problem for problem in scene.plant.line.ledger.problems if problem.startswith("2"))
    for lost in scene.plant.line.ledger.overwritten:
        side, id_, name = lost.spot
        entries = scene.plant.store(
            lambda tx, side=side, id_=id_: journal.history(
                tx,
                salesforce_id=id_ if side is Side.SALESFORCE else None,
                netsuite_id=id_ if side is Side.NETSUITE else None,
                limit=10_000,
            )
        )
        befores = [
            change.before
            for entry in entries
            for change in entry.changes
            if (change.side, change.field) == (side, name)
        ]
        if not any(plain_text(before) == plain_text(lost.value) for before in befores):
            what = f"{lost.value!r} in {name} of {side} {id_}"
            yield f"2 lost edit: {what} was written over by batch {lost.batch}, unrecorded"


def pairs_are_in_step(scene: Scene) -> Iterator[str]:
    """2. Pairs that are shown as in step show the same, where the settings carry it."""
    policy = scene.plant.contacts
    for id_, link in scene.links.items():
        told, contact = scene.told(id_), scene.here.get(id_)
        netsuite = scene.there.get(link.netsuite_id or "")
        in_step = told is not None and told.kind in IN_STEP and link.state is LinkState.LINKED
        if not in_step or contact is None:
            continue
        if netsuite is None:
            yield f"2 not in step: {id_} is {told and told.kind}, but its NetSuite contact {link.netsuite_id} is gone"
            continue
        if not policy.update:
            continue
        for row in policy.mapping.rows:
            if not _agree(scene, row, contact, netsuite, link.agreed):
                here, there = contact.fields.get(row.salesforce), netsuite.fields.get(row.netsuite)
                pair = f"{id_} and {netsuite.id} are {told and told.kind}"
                yield f"2 not in step: {pair}, but {row.key} shows {here!r} and {there!r}"


def _agree(
    scene: Scene, row: MappingRow, contact: SalesforceContact, netsuite: NetSuiteContact, agreed: Fields
) -> bool:
    here = row.compared(Side.SALESFORCE, contact.fields.get(row.salesforce))
    there = row.compared(Side.NETSUITE, netsuite.fields.get(row.netsuite))
    if here == there or is_kept_form(here, there) or is_kept_form(there, here):
        return True
    direction, memory = scene.plant.contacts.direction, agreement_on(row.key, agreed)
    then = memory or Agreement(None, None)
    if direction is Direction.BOTH:
        return False
    # One-way: what stands on the receiving side is left alone as long as the giving side has nothing new, and where
    # it wins: because it is somebody's own, or because nothing was agreed yet, as on an adoption.
    if direction.reaches(Side.NETSUITE):
        giving_rests, receiving = here == then.salesforce, (Side.NETSUITE, netsuite.id, row.netsuite)
    else:
        giving_rests, receiving = there == then.netsuite, (Side.SALESFORCE, contact.id, row.salesforce)
    stays = row.conflict != ConflictPolicy(receiving[0].other)
    own = scene.plant.line.ledger.edit_at(receiving) is not None
    return giving_rests or (stays and (own or memory is None))


def every_key_has_one_outcome(scene: Scene) -> Iterator[str]:
    """3. Each record that is there is shown once, with its reason where it is not in step."""
    for id_ in scene.here:
        if scene.told(id_) is None:
            yield f"3 no outcome: Salesforce contact {id_} is not shown"
    for account in scene.plant.salesforce._live(Entity.ACCOUNT):
        if scene.told(account.id, entity=Entity.ACCOUNT) is None:
            yield f"3 no outcome: account {account.id} is not shown"
    for key, found in scene.outcomes.items():
        explained = found.kind in IN_STEP or (found.reason is not None and found.detail)
        if not explained:
            yield f"3 no reason: {key.entity} {key.id} is {found.kind} and nobody says why"


def failures_are_incidents(scene: Scene) -> Iterator[str]:
    """3. What failed has an open incident, and nothing else has."""
    open_ = {item.key for item in scene.plant.store(incidents.open_ones)}
    failed = {key for key, found in scene.outcomes.items() if found.kind is OutcomeKind.FAILED}
    for key in sorted(open_ - failed):
        yield f"3 stale incident: {key.entity} {key.id} has an open incident and is {_kind(scene.outcomes.get(key))}"
    for key in sorted(failed - open_):
        yield f"3 no incident: {key.entity} {key.id} is failed without an incident"


def a_pair_is_shown_once(scene: Scene) -> Iterator[str]:
    """3. A linked NetSuite contact has no outcome of its own."""
    linked = {link.netsuite_id: id_ for id_, link in scene.links.items() if link.state is LinkState.LINKED}
    for id_ in scene.there.keys() & linked.keys():
        alone = scene.told(id_, Side.NETSUITE)
        if alone is not None:
            yield f"3 two outcomes: NetSuite {id_} is shown alone ({alone.kind}) and paired with {linked[id_]}"


def every_change_was_looked_at(scene: Scene) -> Iterator[str]:
    """4. Whatever broke off, each change of a person was read after it was made."""
    ledger = scene.plant.line.ledger
    for place in ledger.by_people:
        side, id_ = place
        if side is Side.NETSUITE and not _watched_in_netsuite(scene, id_):
            continue
        if side is Side.SALESFORCE and id_[:3] not in ("001", "003"):
            continue
        alive = (
            id_ in scene.there if side is Side.NETSUITE else not scene.plant.salesforce._records[id_].deleted
        )
        if alive and not ledger.last_read(scene.read, place):
            yield f"4 lost change: the last change of {side} {id_} by a person was never looked at"


def _watched_in_netsuite(scene: Scene, id_: str) -> bool:
    policy = scene.plant.contacts
    return id_ in scene.there and policy.direction.reaches(Side.SALESFORCE)


def links_move_with_a_word(scene: Scene) -> Iterator[str]:
    """5. Noticed in the transactions themselves."""
    yield from scene.plant.links.problems


def older_never_overwrites_newer(scene: Scene) -> Iterator[str]:
    """6. Noticed when it was written."""
    yield from (problem for problem in scene.plant.line.ledger.problems if problem.startswith("6"))


def what_waits_has_cause(scene: Scene) -> Iterator[str]:
    """8. What waits, waits for something that is so at this moment."""
    holds: dict[Reason, Callable[[Key, Outcome], bool]] = {
        Reason.PAUSED: lambda key, found: scene.flow.paused,
        Reason.SAFETY_STOP: lambda key, found: scene.flow.stopped,
        Reason.ACCOUNT_NOT_SYNCED: lambda key, found: _gate_is_closed(scene, key),
        Reason.PARENT_NOT_SYNCED: lambda key, found: _parent_is_unlinked(scene, key),
        Reason.NO_EMAIL: lambda key, found: not _email(scene, key),
        Reason.NO_ACCOUNT: lambda key, found: scene.here[key.id].account_id is None,
    }
    for key, found in scene.outcomes.items():
        there = key.id in scene.here or key.id in scene.there or key.entity is Entity.ACCOUNT
        check = holds.get(found.reason) if found.reason else None
        if there and check is not None and not check(key, found):
            yield f"8 not released: {key.side} {key.entity} {key.id} is {found.kind} {found.reason}, which is over"
        if found.kind is OutcomeKind.WAITING and found.reason not in holds:
            yield f"8 unknown wait: {key.id} waits for {found.reason}"


def _gate_is_closed(scene: Scene, key: Key) -> bool:
    if key.side is Side.SALESFORCE:
        return scene.here[key.id].account_customer_id is None if key.id in scene.here else True
    company = scene.there[key.id].company_id
    accounts = scene.plant.salesforce._carrying(Entity.ACCOUNT, [company] if company else [])
    return not accounts


def _parent_is_unlinked(scene: Scene, key: Key) -> bool:
    account = scene.plant.salesforce.account(key.id)
    return account.deleted or account.parent_customer_id is None


def _email(scene: Scene, key: Key) -> bool:
    value = (
        scene.here[key.id].fields.get("Email") if key.side is Side.SALESFORCE else scene.there[key.id].email
    )
    return bool(plain_text(value))


def netsuite_is_not_overrun(scene: Scene) -> Iterator[str]:
    """9. Calls under way at once: of lanes, polls and listings of a process together."""
    limit = scene.plant.options.lanes
    for life, traffic in scene.plant.line.traffic.items():
        if traffic.most > limit:
            yield f"9 concurrency: {life} made {traffic.most} calls at once, {limit} are allowed"


def no_secret_is_logged(scene: Scene) -> Iterator[str]:
    """10. Neither what people entered nor what the systems said of secrets."""
    for line in scene.lines:
        if SECRET in line or MARK in line:
            yield f"10 logged: {line[:300]}"


AT_REST: tuple[Check, ...] = (
    nothing_unforeseen,
    no_second_target,
    no_edit_is_lost,
    pairs_are_in_step,
    every_key_has_one_outcome,
    a_pair_is_shown_once,
    failures_are_incidents,
    every_change_was_looked_at,
    links_move_with_a_word,
    older_never_overwrites_newer,
    what_waits_has_cause,
    netsuite_is_not_overrun,
    no_secret_is_logged,
)


def problems(scene: Scene, checks: Iterable[Check] = AT_REST) -> list[str]:
    return [problem for check in checks for problem in check(scene)]


def was_in_step(scene: Scene, place: Place) -> bool:
    """Whether a record was shown as in step: accounts, and contacts as part of their pair."""
    side, id_ = place
    if side is Side.SALESFORCE:
        told = scene.told(id_, entity=Entity.ACCOUNT if id_.startswith("001") else Entity.CONTACT)
    else:
        pair = next((here for here, link in scene.links.items() if link.netsuite_id == id_), None)
        told = scene.told(pair) if pair else None
    return told is not None and told.kind in IN_STEP


def unseen_in_netsuite(scene: Scene, place: Place) -> bool:
    """Whether somebody changed the NetSuite half of a pair where nothing is carried from there: a lock, for example, is
    seen by the next look only."""
    side, id_ = place
    there = id_ if side is Side.NETSUITE else getattr(scene.links.get(id_), "netsuite_id", None)
    carried = scene.plant.contacts.direction.reaches(Side.SALESFORCE)
    ledger = scene.plant.line.ledger
    return there is not None and not carried and not ledger.last_read(scene.read, (Side.NETSUITE, there))


def _outcomes(tx: Tx) -> dict[Key, Outcome]:
    rows = tx.execute(sa.select(outcome_table)).all()
    found = (outcomes._outcome(row) for row in rows)
    return {item.key: item for item in found}


def _every_id(plant: Plant) -> list[str]:
    return sorted(plant.salesforce._by_entity[Entity.CONTACT])


def _kind(found: Outcome | None) -> str:
    return found.kind if found else "not shown"
