"""Taking decisions of a person about many contacts at once: all of them are checked, then all are stored, or none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from twinbook.domain.ids import salesforce_id_of, to_18
from twinbook.domain.matching import CREATE_NEW, LEAVE_OUT
from twinbook.domain.ports import ContactQuery
from twinbook.domain.records import Entity, Key, Link, LinkState, NetSuiteContact, SalesforceContact, Side
from twinbook.engine.connection import Connection
from twinbook.store import decisions, dirty_keys, journal, links, outcomes
from twinbook.store.database import Tx
from twinbook.store.journal import Entry
from twinbook.store.sql import chunks

UNDECIDE = "clear"
"""Takes back what was decided."""

CONTACT = "salesforce_id"
DECISION = "decision"
WORDS = (CREATE_NEW, LEAVE_OUT, UNDECIDE)


@dataclass(frozen=True, slots=True)
class Choice:
    """One decision as it was read. `row` says where, counted as a spreadsheet does; 0 is the command line."""

    row: int
    salesforce_id: str
    decision: str


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong with one cell."""

    row: int
    column: str
    problem: str

    def __str__(self) -> str:
        where = f"row {self.row}, column {self.column}" if self.row else "--undecide"
        return f"{where}: {self.problem}"


@dataclass(frozen=True, slots=True)
class _Known:
    """Everything that the choices are checked against, by id."""

    contacts: Mapping[str, SalesforceContact]
    netsuite: Mapping[str, NetSuiteContact]
    links: Mapping[str, Link]
    holders: Mapping[str, str]


class Deciding:
    """Checks and stores choices."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def flaws(self, choices: Sequence[Choice]) -> list[Flaw]:
        """What is wrong with them, in the order of rows; empty when all can be stored. It asks both systems."""
        wrong = list(_malformed(choices))
        broken = {flaw.row for flaw in wrong}
        sound = [choice for choice in choices if choice.row not in broken]
        for part in chunks(sound, self._connection.options.batch):
            known = await self._known(part)
            wrong += [flaw for choice in part if (flaw := _flaw(choice, known))]
        return sorted(wrong, key=lambda flaw: flaw.row)

    async def store(self, choices: Sequence[Choice], *, by: str) -> None:
        """Store choices that have no flaws. Contacts that Twinbook has looked at before are looked at again."""
        now = self._connection.clock.now()
        keys = {choice: _key(choice) for choice in choices}

        def store(tx: Tx) -> None:
            for choice, key in keys.items():
                if choice.decision == UNDECIDE:
                    decisions.withdraw(tx, [key])
                else:
                    decisions.take(tx, key, choice.decision, by=by, now=now)
            journal.append(tx, [_entry(choice, by) for choice in choices], now=now)
            seen = outcomes.looked_at_since(tx, list(keys.values()), 0.0)
            dirty_keys.mark(tx, sorted(seen), cause=f"decided by {by}", now=now)

        await self._connection.store.run(store)
        self._connection.wake.ring()

    async def _known(self, part: Sequence[Choice]) -> _Known:
        ids = [to_18(choice.salesforce_id) for choice in part]
        wanted = frozenset(choice.decision for choice in part if choice.decision not in WORDS)
        contacts = await self._connection.salesforce.read_contacts(ids)
        found = await self._connection.netsuite.find_contacts(ContactQuery(ids=wanted)) if wanted else ()
        netsuite = {contact.id: contact for contact in found}

        def read(tx: Tx) -> tuple[dict[str, Link], dict[str, Link]]:
            return (
                links.by_salesforce(tx, Entity.CONTACT, ids),
                links.by_netsuite(tx, Entity.CONTACT, list(netsuite)),
            )

        ours, theirs = await self._connection.store.read(read)
        holders = {id_: link.salesforce_id for id_, link in theirs.items()}
        return _Known(contacts, netsuite, ours, holders | await self._claims(netsuite, holders))

    async def _claims(
        self, netsuite: Mapping[str, NetSuiteContact], holders: Mapping[str, str]
    ) -> dict[str, str]:
        """Live Salesforce contacts whose id unlinked NetSuite contacts carry."""
        carried = {
            id_: claimed
            for id_, contact in netsuite.items()
            if id_ not in holders
            and (claimed := contact.salesforce_id or salesforce_id_of(contact.external_id))
        }
        alive: set[str] = set()
        for part in chunks(sorted(set(carried.values())), self._connection.options.batch):
            found = await self._connection.salesforce.read_contacts(part)
            alive |= {id_ for id_, contact in found.items() if not contact.deleted}
        return {id_: claimed for id_, claimed in carried.items() if claimed in alive}


def _malformed(choices: Iterable[Choice]) -> Iterable[Flaw]:
    contacts: Counter[str] = Counter()
    counterparts: Counter[str] = Counter()
    for choice in choices:
        try:
            id_ = to_18(choice.salesforce_id)
        except ValueError as error:
            yield Flaw(choice.row, CONTACT, str(error))
            continue
        contacts[id_] += 1
        if contacts[id_] > 1:
            yield Flaw(
                choice.row, CONTACT, f"{id_} has a decision in an earlier row already; keep one of them"
            )
        elif choice.decision not in WORDS and not choice.decision.isdigit():
            words = ", ".join(repr(word) for word in WORDS)
            yield Flaw(
                choice.row,
                DECISION,
                f"{choice.decision!r} is neither the id of a NetSuite contact nor one of {words}",
            )
        elif choice.decision.isdigit():
            counterparts[choice.decision] += 1
            if counterparts[choice.decision] > 1:
                problem = f"NetSuite contact {choice.decision} was chosen in an earlier row already"
                yield Flaw(choice.row, DECISION, f"{problem}; it can belong to one Salesforce contact only")


def _flaw(choice: Choice, known: _Known) -> Flaw | None:
    id_ = to_18(choice.salesforce_id)
    contact, link = known.contacts.get(id_), known.links.get(id_)
    if contact is None or contact.deleted:
        return Flaw(choice.row, CONTACT, f"there is no Salesforce contact {id_}, or it is deleted")
    if choice.decision in (LEAVE_OUT, UNDECIDE):
        return None
    if link is not None and link.state is LinkState.LINKED:
        problem = f"{id_} is linked with NetSuite contact {link.netsuite_id} already"
        return Flaw(choice.row, DECISION, f"{problem}; undo that first if it is wrong")
    if choice.decision == CREATE_NEW:
        return None
    if choice.decision not in known.netsuite:
        return Flaw(choice.row, DECISION, f"there is no NetSuite contact {choice.decision}")
    holder = known.holders.get(choice.decision, id_)
    if to_18_or_text(holder) != id_:
        problem = f"NetSuite contact {choice.decision} already belongs to Salesforce contact {holder}"
        return Flaw(choice.row, DECISION, problem)
    return None


def to_18_or_text(text: str) -> str:
    """An id that was read from a field which people can edit."""
    try:
        return to_18(text)
    except ValueError:
        return text


def _key(choice: Choice) -> Key:
    return Key(Entity.CONTACT, Side.SALESFORCE, to_18(choice.salesforce_id))


def _entry(choice: Choice, by: str) -> Entry:
    counterpart = choice.decision if choice.decision.isdigit() else None
    return Entry(
        "decided", Entity.CONTACT, _key(choice).id, counterpart, f"{by} chose {choice.decision!r}", by
    )
