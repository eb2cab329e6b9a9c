"""Contacts that were merged in Salesforce: who took whose place, and which NetSuite contact goes over to the winner.

A merge tells only the losers who won, and it may be seen from either end first. So both ends ask here, and both get
the same answer: of several NetSuite contacts that the losers leave, a winner without one inherits the oldest that is
still there; all others are second contacts, about which the setting `merged_away` decides.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from twinbook.domain.plan import Candidate
from twinbook.domain.ports import ContactQuery
from twinbook.domain.records import Entity, Link, LinkState, SalesforceContact
from twinbook.engine.connection import Connection
from twinbook.engine.contacts.candidates import owned
from twinbook.store import journal, links
from twinbook.store.database import Tx
from twinbook.store.journal import Entry

# A contact that was merged into one that was merged into one …: so far it is followed.
MOST_STEPS = 10


@dataclass(frozen=True, slots=True)
class Inheritance:
    """What a winner without a link gets: the loser's link, and its NetSuite contact with whom that belongs to."""

    link: Link
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a loser. `winner` is None where the winner was deleted in its turn: then nobody took the
    loser's place. `link` is the winner's own, or the one that it inherits from another loser."""

    winner: str | None
    link: Link | None = None


class Merges:
    """Answers for batches of contacts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def fates(self, losers: Iterable[SalesforceContact]) -> dict[str, Fate]:
        """By loser. Raises what the ports raise."""
        winners = await self._last_winners(
            {loser.id: loser.merged_into for loser in losers if loser.merged_into}
        )
        alive = {winner for winner in winners.values() if winner}
        has = await self._own(alive)
        inherited = await self.inherited(dict.fromkeys(alive - has.keys()))
        has |= {id_: found.link for id_, found in inherited.items() if id_ not in has}
        return {
            loser: Fate(winner, _of_another(loser, has.get(winner or "")))
            for loser, winner in winners.items()
        }

    async def _own(self, winner_ids: Collection[str]) -> dict[str, Link]:
        """The winners' own links: those that lead to a known record, and tombstones that an undelete will open."""
        known = {id_: link for id_, link in (await self._links(winner_ids)).items() if link.netsuite_id}
        closed = frozenset(link.netsuite_id or "" for link in known.values() if _is_closed(link))
        found = await self._connection.netsuite.find_contacts(ContactQuery(ids=closed)) if closed else ()
        there = {contact.id for contact in found if contact.salesforce_id in (None, *winner_ids)}
        return {id_: link for id_, link in known.items() if not _is_closed(link) or link.netsuite_id in there}

    async def inherited(self, winners: Mapping[str, Sequence[str] | None]) -> dict[str, Inheritance]:
        """What contacts without a link inherit, for those that won a merge and inherit something. `winners` come with
        the contacts that were merged straight into them, or None where that is yet to be asked."""
        untold = sorted(id_ for id_, losers in winners.items() if losers is None)
        asked = await self._connection.salesforce.losers_of(Entity.CONTACT, untold) if untold else {}
        losers = await self._losers({**asked, **{id_: told for id_, told in winners.items() if told}})
        known = await self._links({id_ for ids in losers.values() for id_ in ids})
        left = {id_: link for id_, link in known.items() if link.netsuite_id and not _is_intent(link)}
        if not left:
            return {}
        found = await self._connection.netsuite.find_contacts(
            ContactQuery(ids=frozenset(link.netsuite_id for link in left.values() if link.netsuite_id))
        )
        candidates = {candidate.record.id: candidate for candidate in await owned(self._connection, found)}
        chosen = {
            winner: _oldest([left[id_] for id_ in ids if id_ in left], candidates, {winner, *ids})
            for winner, ids in losers.items()
        }
        return {winner: found for winner, found in chosen.items() if found is not None}

    async def _last_winners(self, first: Mapping[str, str]) -> dict[str, str | None]:
        """Follow each merge to the contact that is alive; None where the last one was deleted."""
        winners: dict[str, str | None] = dict(first)
        for _ in range(MOST_STEPS):
            asked = sorted({winner for winner in winners.values() if winner})
            contacts = await self._connection.salesforce.read_contacts(asked)
            after = {
                id_: id_ if (contact := contacts.get(id_)) and not contact.deleted else _next(contact)
                for id_ in asked
            }
            moved = {loser: after[winner] if winner else None for loser, winner in winners.items()}
            if moved == winners:
                break
            winners = moved
        return winners

    async def _losers(self, winners: Mapping[str, Sequence[str]]) -> dict[str, set[str]]:
        """All contacts that were merged into each winner, at however many removes."""
        found: dict[str, set[str]] = {}
        # For each contact that others were merged into: the winners at the end of its chain.
        ends = {winner: {winner} for winner in winners}
        losers = winners
        for _ in range(MOST_STEPS):
            beyond: dict[str, set[str]] = {}
            for winner, ids in losers.items():
                for id_ in ids:
                    beyond.setdefault(id_, set()).update(ends[winner])
            if not beyond:
                break
            for id_, last in beyond.items():
                for winner in last:
                    found.setdefault(winner, set()).add(id_)
            ends = beyond
            losers = await self._connection.salesforce.losers_of(Entity.CONTACT, sorted(ends))
        return found

    async def _links(self, ids: Collection[str]) -> dict[str, Link]:
        if not ids:
            return {}
        return await self._connection.store.read(
            lambda tx: links.by_salesforce(tx, Entity.CONTACT, sorted(ids))
        )


def hand_over(tx: Tx, entity: Entity, loser_id: str, winner_id: str, *, now: float) -> None:
    """End the loser's link so that the winner can take its counterpart, in one transaction with the winner's intent.

    A link never moves without a word in the history.
    """
    loser = links.by_salesforce(tx, entity, [loser_id]).get(loser_id)
    if loser is None or loser.state is LinkState.CLOSED:
        return
    links.close(tx, entity, loser_id, now=now)
    why = f"MERGED_AWAY: merged into {winner_id} in Salesforce, which inherits its counterpart"
    journal.append(tx, [Entry("handed over", entity, loser_id, loser.netsuite_id, why)], now=now)


def _next(contact: SalesforceContact | None) -> str | None:
    return contact.merged_into if contact else None


def _is_intent(link: Link) -> bool:
    return link.state is LinkState.CREATING


def _is_closed(link: Link) -> bool:
    return link.state is LinkState.CLOSED


def _of_another(loser: str, link: Link | None) -> Link | None:
    return None if link is None or link.salesforce_id == loser else link


def _oldest(
    left: Iterable[Link], candidates: Mapping[str, Candidate], among: Collection[str]
) -> Inheritance | None:
    """The link whose NetSuite contact is the oldest of those that are there and belong to nobody else."""
    found = [
        Inheritance(link, candidate)
        for link in left
        if (candidate := candidates.get(link.netsuite_id or "")) is not None
        and candidate.linked_to in (None, *among)
    ]
    return min(
        found, key=lambda item: (len(item.candidate.record.id), item.candidate.record.id), default=None
    )
