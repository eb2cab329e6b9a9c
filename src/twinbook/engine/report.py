"""What came of a batch of keys, and its one closing transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from twinbook.domain.errors import PermanentError, SideError
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Key, LinkState, Side
from twinbook.engine.connection import Connection
from twinbook.store import changes, decisions, dirty_keys, flows, incidents, journal, links, outcomes, runs
from twinbook.store.database import Tx
from twinbook.store.decisions import Decision
from twinbook.store.dirty_keys import Claimed, Priority
from twinbook.store.journal import Entry
from twinbook.store.outcomes import Outcome

# What a person or a safety valve holds up, and what lets it go on.
HELD = (Reason.PAUSED, Reason.SAFETY_STOP)


@dataclass(frozen=True, slots=True)
class Settled:
    """A key that is done. Keys that only lead to others (an opportunity, a role, the NetSuite half of a pair) have no
    outcome of their own; a NetSuite contact that was just linked has its outcome under its Salesforce contact's key.
    `done` is what a person decided, once it is carried out. Not `concluded`: what both sides agree on is not stored.
    `again_at` is when it is looked at once more although nothing about it has changed."""

    claimed: Claimed
    outcome: Outcome | None = None
    entries: tuple[Entry, ...] = ()
    error: PermanentError | None = None
    done: Decision | None = None
    concluded: bool = True
    again_at: float | None = None

    @property
    def shown_as(self) -> Key:
        return self.outcome.key if self.outcome else self.claimed.key

    def timed(self, now: float) -> Iterator[Entry]:
        """What goes into the history. Of news that somebody waits for, it says how long it took from noticing to
        writing; back-fill and retries measure something else."""
        waited = (now - self.claimed.marked_at) * 1000 if self.claimed.priority is Priority.LIVE else None
        return (replace(entry, duration_ms=waited) for entry in self.entries)

    @property
    def superseded(self) -> bool:
        """Whether what was shown under the key before is now shown elsewhere."""
        own = self.outcome is not None and self.outcome.key == self.claimed.key
        return self.claimed.key.entity is Entity.CONTACT and not own


@dataclass(frozen=True, slots=True)
class PutBack:
    """A key that must be tried again. Without an error it only steps aside for another record."""

    claimed: Claimed
    due_at: float
    error: SideError | None = None


def steps_aside(claimed: Claimed, connection: Connection) -> PutBack:
    """For another record that is being linked right now."""
    return PutBack(claimed, connection.clock.now() + connection.step_aside(claimed.attempts))


@dataclass(slots=True)
class Report:
    """Filled while a batch is worked on. `began` is the time before anything was read for it."""

    began: float = 0.0
    settled: list[Settled] = field(default_factory=list)
    put_back: list[PutBack] = field(default_factory=list)
    marks: list[tuple[Sequence[Key], str]] = field(default_factory=list)

    def _shown_elsewhere(self) -> list[Key]:
        """Keys under which nothing is shown any longer: whatever came of a pair is shown under its Salesforce half."""
        superseded = [item.claimed.key for item in self.settled if item.superseded]
        return superseded + [half for item in self.settled if (half := _half(item.outcome))]

    def store(self, tx: Tx, *, token: str, now: float) -> None:
        """Everything about the batch in one transaction: outcomes, history, incidents, runs, and the queue."""
        for keys, cause in self.marks:
            dirty_keys.mark(tx, keys, cause=cause, now=now)
        shown_elsewhere = self._shown_elsewhere()
        outcomes.forget(tx, shown_elsewhere)
        found = [item.outcome for item in self.settled if item.outcome is not None]
        changes.announce(tx, found, now=now)
        outcomes.record(tx, found, looked_at=self.began, now=now)
        dirty_keys.mark(tx, _held_in_vain(tx, found), cause="what held it up was over", now=now)
        dirty_keys.mark(tx, _gates_in_doubt(tx, found), cause="a contact of it saw it unlinked", now=now)
        for item in self.settled:
            if item.done is not None:
                decisions.drop(tx, item.claimed.key, item.done)
        journal.append(tx, [entry for item in self.settled for entry in item.timed(now)], now=now)
        closed = [item.shown_as for item in self.settled if item.error is None]
        closed += shown_elsewhere
        incidents.close(tx, closed, by="success", now=now)
        for item in self.settled:
            if item.error is not None:
                incidents.report(tx, item.shown_as, item.error, now=now, attempts=item.claimed.attempts + 1)
        runs.count(
            tx,
            [
                (item.claimed.run_id, item.outcome.kind, item.outcome.reason)
                for item in self.settled
                if item.claimed.run_id is not None and item.outcome is not None and item.again_at is None
            ],
        )
        # Whatever a settled contact was about to be is done, refused, or no longer wanted: nobody need wait for it.
        contacts = [item.claimed.key for item in self.settled if item.claimed.key.entity is Entity.CONTACT]
        links.release(tx, Entity.CONTACT, [key.id for key in contacts if key.side is Side.SALESFORCE])
        links.give_up(tx, Entity.CONTACT, [key.id for key in contacts if key.side is Side.NETSUITE])
        links.told(tx, Entity.CONTACT, _told(item for item in self.settled if not item.concluded))
        links.forget_sent(tx, Entity.CONTACT, _told(item for item in self.settled if item.concluded))
        done = [item.claimed for item in self.settled if item.again_at is None]
        dirty_keys.settle(tx, done, token=token, now=now)
        for item in self.settled:
            if item.again_at is not None:
                dirty_keys.put_back(tx, item.claimed, token=token, due_at=item.again_at, failed=True, now=now)
        for back in self.put_back:
            failed = back.error is not None
            dirty_keys.put_back(tx, back.claimed, token=token, due_at=back.due_at, failed=failed, now=now)
            if back.error is not None:
                incidents.report(
                    tx, back.claimed.key, back.error, now=now, attempts=back.claimed.attempts + 1
                )


def _told(items: Iterable[Settled]) -> list[str]:
    """Contacts whose history tells by now what was written to them."""
    return sorted({entry.salesforce_id for item in items for entry in item.entries if entry.salesforce_id})


def _half(outcome: Outcome | None) -> Key | None:
    """The NetSuite contact that is shown as part of a pair from now on."""
    if outcome is None or outcome.key.entity is not Entity.CONTACT or outcome.key.side is not Side.SALESFORCE:
        return None
    return Key(Entity.CONTACT, Side.NETSUITE, outcome.counterpart_id) if outcome.counterpart_id else None


def _held_in_vain(tx: Tx, found: Sequence[Outcome]) -> list[Key]:
    """Records that are shown as held up although the flow has gone on since they were looked at: whoever let it go on
    could not see them among those that wait."""
    held = [item for item in found if item.reason in HELD]
    if not held:
        return []
    flow = flows.state(tx)
    holds = {Reason.PAUSED: flow.paused, Reason.SAFETY_STOP: flow.stopped}
    return [item.key for item in held if item.reason and not holds[item.reason]]


def _gates_in_doubt(tx: Tx, found: Sequence[Outcome]) -> list[Key]:
    """Accounts that a contact saw unlinked, while its contacts count as released here: the account may have been
    linked anew since, with nobody to release this contact. The look at the account settles it."""
    seen = {item.account_id for item in found if item.reason is Reason.ACCOUNT_NOT_SYNCED and item.account_id}
    known = links.by_salesforce(tx, Entity.ACCOUNT, seen) if seen else {}
    doubtful = sorted(id_ for id_, link in known.items() if link.state is LinkState.LINKED)
    return [Key(Entity.ACCOUNT, Side.SALESFORCE, id_) for id_ in doubtful]
