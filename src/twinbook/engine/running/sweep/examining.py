"""The careful half of a sweep: reading contacts in full, having them planned, and telling what is out of step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from twinbook.domain.drift import drift_of, label_of
from twinbook.domain.errors import SideError
from twinbook.domain.plan import Action, ContactPlan, ContactView
from twinbook.domain.records import Entity, Key, Link, LinkState, Side
from twinbook.engine.connection import Connection
from twinbook.engine.contacts.gather import Gatherer
from twinbook.engine.contacts.netsuite_gather import NetSuiteGatherer
from twinbook.engine.report import HELD
from twinbook.store import links, outcomes
from twinbook.store.database import StoreUnavailableError, Tx
from twinbook.store.drifts import Found
from twinbook.store.outcomes import Seen
from twinbook.store.sql import chunks

log = structlog.get_logger()


class FlowHeldError(Exception):
    """Somebody paused the connection, or a safety valve holds it: what would come of a contact cannot be told."""


@dataclass(slots=True)
class Examined:
    """What came of reading some contacts: findings, and under which versions the others were found in step.
    `poisonous` are those that Twinbook itself failed on."""

    found: list[Found] = field(default_factory=list)
    poisonous: list[Key] = field(default_factory=list)
    in_step: dict[str, tuple[Link, str, str]] = field(default_factory=dict)
    same_outcome: dict[Key, tuple[str, str]] = field(default_factory=dict)
    number: int = 0

    def add(self, other: Examined) -> None:
        """What came of reading some more."""
        self.found += other.found
        self.poisonous += other.poisonous
        self.in_step |= other.in_step
        self.same_outcome |= other.same_outcome

    def remember(self, tx: Tx) -> None:
        """Spare the next sweep another look at what is in step."""
        links.seen_again(tx, self.in_step)
        outcomes.seen_again(tx, self.same_outcome)


class Examiner:
    """Reads and plans contacts. It writes nothing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pairs = Gatherer(connection)
        self._newcomers = NetSuiteGatherer(connection)

    async def examine(self, keys: Sequence[Key]) -> Examined:
        """Contacts by their keys, any number. Raises what the ports raise, and `FlowHeldError`."""
        examined = Examined(number=len(keys))
        for side in Side:
            ids = [key.id for key in keys if key.side is side]
            for part in chunks(ids, self._connection.options.batch):
                await self._attempt(side, part, examined)
        return examined

    async def _attempt(self, side: Side, ids: Sequence[str], examined: Examined) -> None:
        """An unforeseen fault is narrowed down to the contact that causes it, so that the sweep comes to its end."""
        try:
            examined.add(await self._examine(side, ids))
        except (SideError, FlowHeldError, StoreUnavailableError):
            raise
        except Exception:
            log.exception("fault-in-sweep", connection=self._connection.name, contacts=len(ids))
            if len(ids) == 1:
                examined.poisonous.append(Key(Entity.CONTACT, side, ids[0]))
                return
            for id_ in ids:
                await self._attempt(side, [id_], examined)

    async def _examine(self, side: Side, ids: Sequence[str]) -> Examined:
        last = await self._connection.store.read(lambda tx: outcomes.seen(tx, side, ids))
        considered = await self._considered(side, ids)
        if any(plan.reason in HELD for _, plan in considered.values()):
            raise FlowHeldError
        examined = Examined()
        for id_, (view, plan) in considered.items():
            _judge(Key(Entity.CONTACT, side, id_), view, plan, last.get(id_), examined)
        return examined

    async def _considered(
        self, side: Side, ids: Sequence[str]
    ) -> Mapping[str, tuple[ContactView, ContactPlan]]:
        if side is Side.SALESFORCE:
            return {id_: (item.view, item.plan) for id_, item in (await self._pairs.consider(ids)).items()}
        found = await self._newcomers.consider(ids)
        return {id_: (item.view, item.plan) for id_, item in found.items() if item.view.netsuite is not None}


def _judge(key: Key, view: ContactView, plan: ContactPlan, last: Seen | None, examined: Examined) -> None:
    drift = drift_of(view, plan, (last.kind, last.reason) if last else None)
    link, salesforce, netsuite = view.link, view.salesforce, view.netsuite
    if drift is not None:
        examined.found.append(
            Found(
                key,
                drift,
                salesforce.id if salesforce else None,
                (link.netsuite_id if link else None)
                or plan.counterpart_id
                or (netsuite.id if netsuite else None),
                label_of(view),
            )
        )
    elif link is not None and link.state is LinkState.LINKED and plan.action is Action.SYNC:
        if salesforce is not None and netsuite is not None:
            examined.in_step[salesforce.id] = (link, salesforce.version, netsuite.version)
    elif salesforce is not None:
        other = netsuite.version if netsuite else ""
        examined.same_outcome[key] = (salesforce.version, other)
    elif netsuite is not None:
        examined.same_outcome[key] = (netsuite.version, "")
