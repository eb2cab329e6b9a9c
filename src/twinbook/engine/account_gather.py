"""Reading what the account gate needs to know, and having it decided. It writes nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from twinbook.domain.account_planner import plan_account
from twinbook.domain.canonical import name_key
from twinbook.domain.ids import account_key
from twinbook.domain.plan import AccountPlan, AccountView, Action
from twinbook.domain.records import Entity, Link, NetSuiteCustomer, SalesforceAccount
from twinbook.engine.connection import Connection
from twinbook.store import flows, links
from twinbook.store.database import Tx


@dataclass(frozen=True, slots=True)
class ConsideredAccount:
    """An account, what the planner saw of it and decided, and the link that is remembered."""

    view: AccountView
    plan: AccountPlan
    link: Link | None


class AccountGatherer:
    """One read of Salesforce for a batch; one of NetSuite only for accounts that have passed their gate."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def consider(
        self, ids: Sequence[str], *, by_hand: Collection[str] = ()
    ) -> dict[str, ConsideredAccount]:
        """Plans by account id, ≤ 200 of them; accounts that are deleted or unknown are absent."""
        connection = self._connection

        def remembered(tx: Tx) -> tuple[bool, dict[str, Link]]:
            return flows.state(tx).paused, links.by_salesforce(tx, Entity.ACCOUNT, ids)

        paused, known = await connection.store.run(remembered)
        accounts = await connection.salesforce.read_accounts(ids)
        views = [
            AccountView(account, by_hand=id_ in by_hand, paused=paused)
            for id_, account in accounts.items()
            if not account.deleted
        ]
        plans = {view.account.id: plan_account(view, connection.accounts) for view in views}
        completed = await self._complete(views, plans)
        return {
            view.account.id: ConsideredAccount(
                view, plan_account(view, connection.accounts), known.get(view.account.id)
            )
            for view in completed
        }

    async def _complete(
        self, views: Sequence[AccountView], plans: dict[str, AccountPlan]
    ) -> Sequence[AccountView]:
        """An account that would get a new customer has passed its gate: now look for one that exists."""
        open_ = [view.account for view in views if plans[view.account.id].action is Action.CREATE]
        if not open_:
            return views
        found = await self._connection.netsuite.find_customers(
            salesforce_ids=[account.id for account in open_], names=[account.name for account in open_]
        )
        ids = [customer.id for customer in found]
        taken = await self._connection.store.run(lambda tx: links.by_netsuite(tx, Entity.ACCOUNT, ids))
        return [
            replace(
                view,
                candidates=tuple(customer for customer in found if _concerns(customer, view.account)),
                linked_customers=frozenset(
                    id_ for id_, link in taken.items() if link.salesforce_id != view.account.id
                ),
            )
            for view in views
        ]


def _concerns(customer: NetSuiteCustomer, account: SalesforceAccount) -> bool:
    same_name = name_key(customer.name) == name_key(account.name)
    carries_id = account.id == customer.salesforce_id or customer.external_id == account_key(account.id)
    return same_name or carries_id
