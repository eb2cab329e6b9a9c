"""Accounts that are no longer there: deleted, or merged into another one (behaviour.md 5).

The winner of a merge that has no customer inherits the loser's: its contacts are in NetSuite already. Whatever
belonged to either account is looked at again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from twinbook.domain.ids import account_key
from twinbook.domain.plan import OutcomeKind
from twinbook.domain.policy import Accounts
from twinbook.domain.ports import Listing
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Key, Link, LinkState, SalesforceAccount, Side
from twinbook.engine.connection import Connection
from twinbook.engine.contacts.merges import hand_over
from twinbook.engine.report import Report, Settled
from twinbook.store import dirty_keys, links, outcomes
from twinbook.store.database import Tx
from twinbook.store.dirty_keys import Claimed
from twinbook.store.links import Intent, Reservation
from twinbook.store.outcomes import Outcome

# Pages of what belongs to a batch of accounts; a page holds up to 2,000 records.
MOST_PAGES = 500

Lister = Callable[[Sequence[str], str | None], Awaitable[Listing]]


class Departures:
    """Settles the keys of accounts that Salesforce no longer has."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def settle(self, gone: Sequence[Claimed], report: Report) -> None:
        salesforce = self._connection.salesforce
        deleted = await salesforce.read_accounts([item.key.id for item in gone])
        merged = {id_: account.merged_into for id_, account in deleted.items() if account.merged_into}
        winners = await salesforce.read_accounts(sorted(set(merged.values()))) if merged else {}
        contacts = await all_keys(salesforce.contacts_of_accounts, sorted(winners)) if winners else []
        now = self._connection.clock.now()

        def store(tx: Tx) -> None:
            ids = [item.key.id for item in gone]
            known = links.by_salesforce(tx, Entity.ACCOUNT, [*ids, *winners])
            for id_ in ids:
                winner = winners.get(merged.get(id_, ""))
                if winner is None or not self._hand_over(tx, deleted[id_], winner, known, now=now):
                    links.close(tx, Entity.ACCOUNT, id_, now=now)
            left = [*contacts, *outcomes.of_account(tx, ids)]
            dirty_keys.mark(tx, left, cause="its account was merged or deleted", now=now)
            keys = [Key(Entity.ACCOUNT, Side.SALESFORCE, id_) for id_ in winners]
            dirty_keys.mark(tx, keys, cause="an account was merged into it", now=now)
            waiting = [key for keys in outcomes.accounts_below(tx, ids).values() for key in keys]
            dirty_keys.mark(tx, waiting, cause="its parent was merged or deleted", now=now)

        await self._connection.store.run(store)
        self._connection.wake.ring()
        report.settled += [_settled(item, merged.get(item.key.id)) for item in gone]

    def _hand_over(
        self,
        tx: Tx,
        loser: SalesforceAccount,
        winner: SalesforceAccount,
        known: Mapping[str, Link],
        *,
        now: float,
    ) -> bool:
        """Keep the loser's customer for a winner that has none; the winner's own look then links the two."""
        own, left = known.get(winner.id), known.get(loser.id)
        remembered = left.netsuite_id if left is not None and left.state is LinkState.LINKED else None
        customer_id = loser.netsuite_id or remembered
        has_one = winner.netsuite_id is not None or (own is not None and own.state is not LinkState.CLOSED)
        if self._connection.accounts.accounts is not Accounts.SYNC or has_one or customer_id is None:
            return False
        hand_over(tx, Entity.ACCOUNT, loser.id, winner.id, now=now)
        intent = Intent(winner.id, account_key(winner.id), customer_id)
        return links.reserve(tx, Entity.ACCOUNT, intent, now=now) is Reservation.HELD


async def unsettled(connection: Connection, winner_ids: Sequence[str]) -> dict[str, list[Key]]:
    """Accounts that were merged into these and have not been looked at since, by winner: a winner may inherit a
    customer from them, so it must not get another one first."""
    if not winner_ids:
        return {}
    losers = await connection.salesforce.losers_of(Entity.ACCOUNT, winner_ids)
    keys = {
        winner: [Key(Entity.ACCOUNT, Side.SALESFORCE, id_) for id_ in ids] for winner, ids in losers.items()
    }
    every = [key for of_winner in keys.values() for key in of_winner]
    known = await connection.store.read(
        lambda tx: outcomes.with_reasons(tx, every, [Reason.DELETED_IN_SALESFORCE])
    )
    left = {winner: [key for key in of_winner if key not in known] for winner, of_winner in keys.items()}
    return {winner: of_winner for winner, of_winner in left.items() if of_winner}


async def all_keys(lister: Lister, account_ids: Sequence[str]) -> list[Key]:
    """All pages of what belongs to these accounts."""
    keys: list[Key] = []
    after: str | None = None
    for _ in range(MOST_PAGES):
        page = await lister(account_ids, after)
        keys += page.keys
        if page.next is None:
            break
        after = page.next
    return keys


def _settled(item: Claimed, winner: str | None) -> Settled:
    detail = f"merged into {winner}" if winner else ""
    return Settled(item, Outcome(item.key, OutcomeKind.SKIPPED, Reason.DELETED_IN_SALESFORCE, detail))
