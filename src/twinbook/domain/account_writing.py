"""From the decision that an account and a customer belong together to what is written on each side.

The mapped fields are merged by the rule of contacts. Besides them a pair is held together by the parent, the hidden
ids and, for a new customer, what NetSuite wants of one.
"""

from __future__ import annotations

from dataclasses import dataclass

from twinbook.domain.account_mapping import CUSTOMER_NAME, PARENT_ROW
from twinbook.domain.agreement import Agreement, agreement_on, stored
from twinbook.domain.checks import problems
from twinbook.domain.errors import PermanentError
from twinbook.domain.mapping import ConflictPolicy
from twinbook.domain.merge import Pair, decide, merge, target_of
from twinbook.domain.plan import AccountView, FieldDecision, FieldVerdict
from twinbook.domain.policy import AccountPolicy
from twinbook.domain.records import Fields, NetSuiteCustomer, SalesforceAccount, Side, Value
from twinbook.domain.resolution import Resolution
from twinbook.domain.rules import Facts


@dataclass(frozen=True, slots=True)
class Written:
    """What is to be written for a pair, and what is agreed then. `undecided` are rows that a person must decide."""

    changes: dict[Side, dict[str, Value]]
    agreed: Fields
    decisions: tuple[FieldDecision, ...]
    refusals: tuple[PermanentError, ...]

    @property
    def undecided(self) -> list[str]:
        return [item.row for item in self.decisions if item.verdict is FieldVerdict.CONFLICT_REVIEW]


def facts_of_account(account: SalesforceAccount, customer: NetSuiteCustomer | None = None) -> Facts:
    """What the expressions of rules and of the account map may look at."""
    known: Fields = {"Id": account.id, "Name": account.name, "NetSuiteId": account.netsuite_id}
    return Facts({}, {**account.fields, **known}, netsuite=customer.fields if customer else {})


def write_account(view: AccountView, policy: AccountPolicy, customer: NetSuiteCustomer | None) -> Written:
    """Merge an account with its customer, or with one that is yet to be created (None)."""
    account = view.account
    facts = facts_of_account(account, customer)
    schemas = {Side.SALESFORCE: policy.salesforce_schema, Side.NETSUITE: policy.netsuite_schema}
    resolve = Resolution.of(view.chosen, view.resolved)
    netsuite = customer.fields if customer else None
    pair = Pair(account.fields, netsuite, view.agreed, facts, _writable(policy, customer), schemas, resolve)
    merged = merge(policy.mapping, pair)
    changes = {side: dict(merged.changes[side]) for side in Side}
    parent = _parent(view, customer, _writable(policy, customer))
    agreements = dict(merged.agreements)
    if parent.agreement is not None:
        agreements[PARENT_ROW.key] = parent.agreement
    if parent.writes:
        changes[Side.NETSUITE][PARENT_ROW.netsuite] = parent.decision.salesforce
    if customer is None:
        changes[Side.NETSUITE].setdefault(CUSTOMER_NAME, account.name)
    refusals = list(merged.errors)
    for side, schema in schemas.items():
        # What else a new customer needs depends on its form, which knows defaults (netsuite.md 2.11).
        refusals += problems(side, changes[side], schema, policy.mapping.rows, creating=False)
    return Written(changes, stored(agreements), (*merged.decisions, parent.decision), tuple(refusals))


def _writable(policy: AccountPolicy, customer: NetSuiteCustomer | None) -> frozenset[Side]:
    """A new customer gets its fields whatever the direction: it is made of them."""
    allowed = frozenset(side for side in Side if policy.direction.reaches(side))
    if customer is None:
        return allowed | {Side.NETSUITE}
    return allowed if policy.update else frozenset()


@dataclass(frozen=True, slots=True)
class _Parent:
    decision: FieldDecision
    agreement: Agreement | None
    writes: bool = False


def _parent(view: AccountView, customer: NetSuiteCustomer | None, writable: frozenset[Side]) -> _Parent:
    """Parents are compared as customer ids. One that is not linked is left for the day when it is."""
    account, then = view.account, agreement_on(PARENT_ROW.key, view.agreed)
    ours, theirs = account.parent_customer_id, customer.parent_id if customer else None
    agreed = then.salesforce if then else None

    def decided(verdict: FieldVerdict, why: str) -> FieldDecision:
        return FieldDecision(PARENT_ROW.key, ours, theirs, agreed, verdict, why)

    if account.parent_id is not None and ours is None:
        why = "the parent account is not linked with a customer yet"
        return _Parent(decided(FieldVerdict.LEFT_ALONE, why), then)
    allowed = writable & {Side.NETSUITE}
    verdict, why = decide(ours, theirs, then, conflict=ConflictPolicy.SALESFORCE, writable=allowed)
    if target_of(verdict, allowed) is Side.NETSUITE:
        return _Parent(decided(verdict, why), Agreement(ours, ours), writes=True)
    same = verdict is FieldVerdict.SAME
    return _Parent(decided(verdict, why), Agreement(ours, theirs) if same else then)
