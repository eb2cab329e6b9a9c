"""Reading what the account gate needs to know, and having it decided. It writes nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from twinbook.domain.account_planner import MOST_PARENTS, plan_account
from twinbook.domain.canonical import name_key
from twinbook.domain.ids import account_key
from twinbook.domain.plan import AccountPlan, AccountView
from twinbook.domain.policy import Accounts
from twinbook.domain.records import Entity, Link, LinkState, NetSuiteCustomer, SalesforceAccount, Side
from twinbook.engine.connection import Connection
from twinbook.store import decisions, flows, links, outcomes
from twinbook.store.database import Tx
from twinbook.store.decisions import Decision
from twinbook.store.flows import Flow


@dataclass(frozen=True, slots=True)
class ConsideredAccount:
    """An account, what the planner saw of it and decided, the link that is remembered, and what a person decided."""

    view: AccountView
    plan: AccountPlan
    link: Link | None
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class _Memory:
    """What the store knows of a batch of accounts."""

    flow: Flow
    links: Mapping[str, Link] = field(default_factory=dict)
    decisions: Mapping[str, Decision] = field(default_factory=dict)
    awaited: Collection[str] = ()


class AccountGatherer:
    """One read of Salesforce for a batch, and one of NetSuite: for accounts that are linked and ours to keep in step,
    and for those that have passed their gate."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def consider(
        self, ids: Sequence[str], *, by_hand: Collection[str] = ()
    ) -> dict[str, ConsideredAccount]:
        """Plans by account id, ≤ 200 of them; accounts that are deleted or unknown are absent."""
        memory = await self._remembered(ids)
        accounts = await self._connection.salesforce.read_accounts(ids)
        views = [
            self._view(account, memory, by_hand=id_ in by_hand)
            for id_, account in accounts.items()
            if not account.deleted
        ]
        completed = await self._with_customers(await self._with_ancestors(views))
        return {
            view.account.id: ConsideredAccount(
                view,
                plan_account(view, self._connection.accounts),
                memory.links.get(view.account.id),
                memory.decisions.get(view.account.id),
            )
            for view in completed
        }

    async def _remembered(self, ids: Sequence[str]) -> _Memory:
        def read(tx: Tx) -> _Memory:
            return _Memory(
                flows.state(tx),
                links.by_salesforce(tx, Entity.ACCOUNT, ids),
                decisions.of_records(tx, Entity.ACCOUNT, Side.SALESFORCE, ids),
                outcomes.accounts_below(tx, ids).keys(),
            )

        return await self._connection.store.read(read)

    def _view(self, account: SalesforceAccount, memory: _Memory, *, by_hand: bool) -> AccountView:
        link, decision = memory.links.get(account.id), memory.decisions.get(account.id)
        same = link is not None and link.netsuite_id == account.netsuite_id
        cut_off = link is not None and link.state is LinkState.CREATING
        return AccountView(
            account,
            agreed=link.agreed if link is not None and same else {},
            awaited=account.id in memory.awaited,
            by_hand=by_hand,
            chosen=decision.choice if decision else None,
            resolved=decision.fields if decision else {},
            reserved=link.netsuite_id if link is not None and cut_off else None,
            paused=memory.flow.paused,
            stopped=memory.flow.stopped,
        )

    async def _with_ancestors(self, views: Sequence[AccountView]) -> Sequence[AccountView]:
        """Add the parents that would have to be linked first, to the views that need them."""
        starting = {
            view.account.id: view.account
            for view in views
            if not view.account.netsuite_id and _waits_for_parent(view.account) and self._passed(view)
        }
        chains = await self._chains(starting)
        return [replace(view, ancestors=tuple(chains.get(view.account.id, ()))) for view in views]

    async def _chains(self, starting: Mapping[str, SalesforceAccount]) -> dict[str, list[SalesforceAccount]]:
        """The unlinked parents above each account, one more than are followed at most, or as far as a circle shows."""
        chains: dict[str, list[SalesforceAccount]] = {id_: [] for id_ in starting}
        open_ = dict(starting)
        for _ in range(MOST_PARENTS + 1):
            wanted = {str(account.parent_id) for account in open_.values()}
            if not wanted:
                break
            parents = await self._connection.salesforce.read_accounts(sorted(wanted))
            climbed = {id_: parents.get(str(account.parent_id)) for id_, account in open_.items()}
            open_ = {}
            for id_, parent in climbed.items():
                if parent is None or parent.deleted or parent.netsuite_id:
                    continue
                circular = parent.id == id_ or parent in chains[id_]
                chains[id_].append(parent)
                if _waits_for_parent(parent) and not circular:
                    open_[id_] = parent
        return chains

    async def _with_customers(self, views: Sequence[AccountView]) -> Sequence[AccountView]:
        """Add the customers that an account is linked with or could be, to the views that need them."""
        needy = [view for view in views if self._needs_customers(view)]
        if not needy:
            return views
        unlinked = [view.account for view in needy if not view.account.netsuite_id]
        known = {view.account.netsuite_id or view.reserved for view in needy}
        found = await self._connection.netsuite.find_customers(
            ids=sorted(id_ for id_ in known if id_),
            salesforce_ids=[account.id for account in unlinked],
            names=[account.name for account in unlinked],
        )
        ids = [customer.id for customer in found]
        taken = await self._connection.store.read(lambda tx: links.by_netsuite(tx, Entity.ACCOUNT, ids))
        return [_with_candidates(view, found, taken) for view in views]

    def _needs_customers(self, view: AccountView) -> bool:
        if view.account.netsuite_id:
            held = view.paused or view.stopped
            return self._connection.accounts.accounts is Accounts.SYNC and not held
        return bool(view.reserved) or (not view.ancestors and self._passed(view))

    def _passed(self, view: AccountView) -> bool:
        """Whether a trigger has fired for an account that is not linked."""
        return plan_account(view, self._connection.accounts).trigger is not None


def _with_candidates(
    view: AccountView, found: Sequence[NetSuiteCustomer], taken: Mapping[str, Link]
) -> AccountView:
    own = (view.account.netsuite_id, view.reserved)
    return replace(
        view,
        candidates=tuple(
            customer for customer in found if customer.id in own or _concerns(customer, view.account)
        ),
        linked_customers=frozenset(
            id_ for id_, link in taken.items() if link.salesforce_id != view.account.id
        ),
    )


def _waits_for_parent(account: SalesforceAccount) -> bool:
    return account.parent_id is not None and account.parent_customer_id is None


def _concerns(customer: NetSuiteCustomer, account: SalesforceAccount) -> bool:
    same_name = name_key(customer.name) == name_key(account.name)
    carries_id = account.id == customer.salesforce_id or customer.external_id == account_key(account.id)
    return same_name or carries_id
