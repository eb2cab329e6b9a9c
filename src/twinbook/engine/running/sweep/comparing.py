"""The cheap half of a sweep: holding a page of a system's contacts against what the store knows of them.

A contact whose versions and ids are those of the last look is in no need of another one. That is decided for a whole
page in two queries; only what is left over is read in full.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from twinbook.domain.ports import Stamp
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Key, LinkState, Side
from twinbook.store import dirty_keys, links, outcomes
from twinbook.store.database import Tx
from twinbook.store.links import Known
from twinbook.store.outcomes import Seen
from twinbook.store.sweeps import Met


@dataclass(frozen=True, slots=True)
class Asking:
    """What a sweep wants to know. `thorough`: every contact is read in full. `both_ways`: contacts that live in
    NetSuite only are of concern too."""

    thorough: bool
    both_ways: bool


def suspects(tx: Tx, side: Side, page: Sequence[Stamp], met: Met, asking: Asking) -> list[Key]:
    """The contacts of a page that have to be read in full; those that are in the queue anyway are left out. The links
    of the page are added to `met`."""
    known = links.known(tx, side, [stamp.id for stamp in page])
    doubtful: dict[Key, None] = {}
    changed: dict[str, str] = {}
    unlinked: list[Stamp] = []
    thorough = asking.thorough and side is Side.SALESFORCE
    for stamp in page:
        link = known.get(stamp.id)
        if link is None or link.state is not LinkState.LINKED:
            unlinked.append(stamp)
            continue
        met.add(link.id)
        if thorough or stamp.bears != (link.netsuite_id if side is Side.SALESFORCE else link.salesforce_id):
            doubtful[_contact(link.salesforce_id)] = None
        elif stamp.version != link.version:
            changed[link.salesforce_id] = stamp.version
    doubtful |= dict.fromkeys(_with_news(tx, side, changed))
    look = _unlinked_in_salesforce if side is Side.SALESFORCE else _unlinked_in_netsuite
    doubtful |= dict.fromkeys(look(tx, unlinked, known, asking))
    busy = dirty_keys.in_work(tx, list(doubtful))
    return [key for key in doubtful if key not in busy]


def _with_news(tx: Tx, side: Side, changed: Mapping[str, str]) -> list[Key]:
    """Linked contacts that have changed, by the version they show now. Left out are those whose last look saw that very
    version and left them as they were (locked, updates turned off …): their link did not move with it."""
    last = outcomes.seen(tx, Side.SALESFORCE, list(changed))
    return [
        _contact(id_)
        for id_, version in changed.items()
        if (seen := last.get(id_)) is None
        or seen.reason is None
        or version != (seen.version if side is Side.SALESFORCE else seen.counterpart_version)
    ]


def _unlinked_in_salesforce(
    tx: Tx, stamps: Sequence[Stamp], _known: Mapping[str, Known], asking: Asking
) -> list[Key]:
    """Contacts without a link that have changed since their last look, or whose account was linked since."""
    last = outcomes.seen(tx, Side.SALESFORCE, [stamp.id for stamp in stamps])
    return [_contact(stamp.id) for stamp in stamps if asking.thorough or _is_news(stamp, last.get(stamp.id))]


def _unlinked_in_netsuite(
    tx: Tx, stamps: Sequence[Stamp], known: Mapping[str, Known], asking: Asking
) -> list[Key]:
    """Those that name a Salesforce contact are looked at as that contact, unless it has another partner. A tombstone
    keeps its id on purpose."""
    new = [stamp for stamp in stamps if stamp.id not in known]
    naming = {stamp.id: stamp.bears for stamp in new if stamp.bears}
    taken = {
        id_
        for id_, link in links.known(tx, Side.SALESFORCE, list(naming.values())).items()
        if link.state is LinkState.LINKED
    }
    keys = [_newcomer(id_) if named in taken else _contact(named) for id_, named in naming.items()]
    if not asking.both_ways:
        return keys
    others = [stamp for stamp in new if not stamp.bears]
    last = outcomes.seen(tx, Side.NETSUITE, [stamp.id for stamp in others])
    news = (stamp for stamp in others if asking.thorough or _is_news(stamp, last.get(stamp.id)))
    return [*keys, *(_newcomer(stamp.id) for stamp in news)]


def _is_news(stamp: Stamp, last: Seen | None) -> bool:
    if last is None or last.version != stamp.version:
        return True
    return last.reason is Reason.ACCOUNT_NOT_SYNCED and stamp.customer_id is not None


def _contact(salesforce_id: str) -> Key:
    return Key(Entity.CONTACT, Side.SALESFORCE, salesforce_id)


def _newcomer(netsuite_id: str) -> Key:
    return Key(Entity.CONTACT, Side.NETSUITE, netsuite_id)
