"""What a change in NetSuite makes dirty.

A contact that is linked is looked at as its Salesforce contact, so that a pair has one key, whichever side noticed it.
Where the connection carries nothing from NetSuite, most of what happens there is of no concern: only what keeps a pair
from being in step (its NetSuite contact vanished, or it was held up by something that may be put right there).
"""

from __future__ import annotations

from collections.abc import Sequence

from twinbook.domain.policy import Direction
from twinbook.domain.ports import Changes
from twinbook.domain.records import Entity, Key, Link, LinkState, Side
from twinbook.store import dirty_keys, links, outcomes
from twinbook.store.database import Tx
from twinbook.store.dirty_keys import AT_ONCE, Debounce

CHANGED, GONE = "changed in NetSuite", "deleted in NetSuite"


def mark_customers(tx: Tx, changes: Changes, *, now: float, debounce: Debounce = AT_ONCE) -> None:
    """Mark the accounts dirty whose customers changed; customers without an account are of no concern."""
    known = links.by_netsuite(tx, Entity.ACCOUNT, [key.id for key in changes.keys])
    keys = [Key(Entity.ACCOUNT, Side.SALESFORCE, link.salesforce_id) for link in known.values()]
    dirty_keys.mark(tx, keys, cause="its customer changed in NetSuite", now=now, debounce=debounce)


def mark(tx: Tx, changes: Changes, direction: Direction, *, now: float, debounce: Debounce = AT_ONCE) -> None:
    """Mark the contacts dirty that these changes of NetSuite contacts concern."""
    known = links.concluded(tx, Entity.CONTACT, [key.id for key in changes.keys])
    gone = {key.id for key in changes.gone}
    if not direction.reaches(Side.SALESFORCE):
        known = _concerned(tx, known, gone)
    for cause, ids in ((GONE, gone), (CHANGED, {key.id for key in changes.keys} - gone)):
        keys = [salesforce_key(known[id_]) for id_ in sorted(ids & known.keys())]
        if direction.reaches(Side.SALESFORCE):
            keys += [Key(Entity.CONTACT, Side.NETSUITE, id_) for id_ in sorted(ids - known.keys())]
        dirty_keys.mark(tx, keys, cause=cause, now=now, debounce=debounce)


def keys_of(tx: Tx, keys: Sequence[Key]) -> list[Key]:
    """The keys under which these NetSuite contacts are looked at: that of the pair where there is a link."""
    known = links.concluded(tx, Entity.CONTACT, [key.id for key in keys])
    return [salesforce_key(known[key.id]) if key.id in known else key for key in keys]


def salesforce_key(link: Link) -> Key:
    """The key under which the pair of a link is looked at."""
    return Key(Entity.CONTACT, Side.SALESFORCE, link.salesforce_id)


def _concerned(tx: Tx, known: dict[str, Link], gone: set[str]) -> dict[str, Link]:
    live = {id_: link for id_, link in known.items() if link.state is LinkState.LINKED}
    held_up = outcomes.out_of_step(tx, [link.salesforce_id for link in live.values()])
    return {id_: link for id_, link in live.items() if id_ in gone or link.salesforce_id in held_up}
