"""The account gate of behaviour.md section 6: whether an account is linked with a NetSuite customer, and with which.

An account is linked as soon as its hidden id field is set, whoever set it. Otherwise one of the chosen triggers must
fire; then its parents are linked, and the customer is matched, or created. Linked accounts and their customers are
kept in step by the account map.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from twinbook.domain.account_writing import Written, facts_of_account, write_account
from twinbook.domain.canonical import name_key
from twinbook.domain.case import step
from twinbook.domain.ids import account_key
from twinbook.domain.mapping import ConflictPolicy
from twinbook.domain.matching import CREATE_NEW, LEAVE_OUT
from twinbook.domain.plan import AccountPlan, AccountView, Action, OutcomeKind, TraceStep, Trigger
from twinbook.domain.policy import AccountPolicy, Accounts
from twinbook.domain.reasons import CATALOGUE, Reason
from twinbook.domain.records import Fields, NetSuiteCustomer, SalesforceAccount, Side
from twinbook.domain.rules import Rule

MOST_PARENTS = 10
"""Parents that are linked first for one account (behaviour.md 6)."""


def plan_account(view: AccountView, policy: AccountPolicy) -> AccountPlan:
    """Decide one account: linked already (SYNC), to be linked (ADOPT, CREATE), or neither (NOTHING, with a reason)."""
    return _AccountCase(view, policy).plan()


class _AccountCase:
    """One account on its way through the rows of the gate."""

    def __init__(self, view: AccountView, policy: AccountPolicy) -> None:
        self.view = view
        self.policy = policy
        self.account: SalesforceAccount = view.account
        self.trace: list[TraceStep] = []
        self.subsidiary: str | None = None

    def plan(self) -> AccountPlan:
        kept_out = self._kept_out()
        if kept_out is not None:
            return kept_out
        reserved = self._reserved()
        question = "Is a customer reserved for it, by a merge or by a link that was cut off?"
        if reserved and self._holds("6 reserved", question, True, customers=_ids(reserved)):
            return self._one_of(reserved, None)
        trigger = self._trigger()
        if not self._holds("6 triggered", "Has a trigger fired?", trigger is not None, trigger=trigger):
            return self._stop(Reason.NO_TRIGGER)
        waits = self._below_parents(trigger)
        if waits is not None:
            return waits
        self.subsidiary = self._subsidiary()
        return self._matched(trigger) or self._created(trigger)

    def _kept_out(self) -> AccountPlan | None:
        account = self.account
        if self._holds("1 deleted", "Is it deleted in Salesforce?", account.deleted):
            return self._stop(Reason.DELETED_IN_SALESFORCE)
        if self._holds(
            "2 linked",
            "Does it carry a NetSuite id?",
            bool(account.netsuite_id),
            netsuite_id=account.netsuite_id,
        ):
            return self._linked(account.netsuite_id or "")
        question = "Does a safety valve hold the connection?"
        if self.view.stopped and self._holds("3 safety-stop", question, True):
            return self._stop(Reason.SAFETY_STOP)
        if self._holds("3 paused", "Is the connection paused?", self.view.paused):
            return self._stop(Reason.PAUSED)
        if self._holds("4 person-account", "Is it a person account?", account.is_person_account):
            return self._stop(Reason.PERSON_ACCOUNT)
        left_out = self.view.chosen == LEAVE_OUT and not self.view.by_hand
        if left_out and self._holds("4 left-out", "Did a person choose to leave it out?", True):
            return self._stop(Reason.LEFT_OUT)
        gate_only = self.policy.accounts is Accounts.GATE_ONLY
        if self._holds("5 gate-only", "Does another tool link the accounts?", gate_only):
            return self._stop(Reason.GATE_ONLY)
        return None

    def _linked(self, netsuite_id: str) -> AccountPlan:
        """The gate is open. Where accounts are ours to sync, the two are kept in step."""
        plan = AccountPlan(
            Action.SYNC, OutcomeKind.UNCHANGED, counterpart_id=netsuite_id, agreed=self.view.agreed
        )
        if not self._ours():
            return replace(plan, trace=tuple(self.trace))
        customer = next((item for item in self.view.candidates if item.id == netsuite_id), None)
        if self._holds("2 customer-missing", "Is that customer gone?", customer is None):
            reason = Reason.CUSTOMER_MISSING
            outcome = CATALOGUE[reason].outcome
            return replace(plan, outcome=outcome, reason=reason, trace=tuple(self.trace))
        assert customer is not None  # noqa: S101 - the row above
        # Nobody else's id is overwritten.
        blank = customer.salesforce_id is None and netsuite_id not in self.view.linked_customers
        return self._written(plan, customer, self._id_field() if blank else {})

    def _ours(self) -> bool:
        held = self.view.paused or self.view.stopped or self.account.is_person_account
        return self.policy.accounts is Accounts.SYNC and not held

    def _trigger(self) -> Trigger | None:
        """The first trigger that fired. Asking by hand and the push checkbox always count, and so do the accounts
        below that wait."""
        account = self.account
        fired = (
            (Trigger.BY_HAND, self.view.by_hand),
            (Trigger.PUSH, account.push_requested),
            (Trigger.CLOSED_WON, self._chosen(Trigger.CLOSED_WON) and account.has_won_opportunity),
            (Trigger.QUOTE, self._chosen(Trigger.QUOTE) and account.has_quote),
            (Trigger.RULE, self._chosen(Trigger.RULE) and self._first_true(self.policy.rules) is not None),
            (Trigger.ALL, self._chosen(Trigger.ALL)),
            (Trigger.CHILD, self.view.awaited),
        )
        return next((trigger for trigger, answer in fired if answer), None)

    def _chosen(self, trigger: Trigger) -> bool:
        return trigger in self.policy.triggers

    def _first_true(self, rules: Iterable[Rule]) -> Rule | None:
        facts = facts_of_account(self.account)
        for rule in rules:
            verdict = rule.check(facts)
            saw = {"error": verdict.error} if verdict.error else {}
            question = f"Is the rule {rule.name!r} true?"
            if self._holds(f"6 rule {rule.name}", question, verdict.passed, *verdict.saw, **saw):
                return rule
        return None

    def _reserved(self) -> list[NetSuiteCustomer]:
        taken = self.view.linked_customers
        return [
            item for item in self.view.candidates if item.id == self.view.reserved and item.id not in taken
        ]

    def _below_parents(self, trigger: Trigger | None) -> AccountPlan | None:
        """Parents go first, so that the new customer can name its own."""
        above = [ancestor.id for ancestor in self.view.ancestors]
        if not above:
            return None
        names = [ancestor.name for ancestor in self.view.ancestors]
        circular = self.account.id in above or len(set(above)) < len(above)
        if self._holds("7 parent-cycle", "Do its parents lead in a circle?", circular, parents=names):
            return self._stop(Reason.PARENT_CYCLE, trigger=trigger)
        too_deep = len(above) > MOST_PARENTS
        question = f"Are more than {MOST_PARENTS} parents to be linked first?"
        if self._holds("7 parents-too-deep", question, too_deep):
            return self._stop(Reason.PARENTS_TOO_DEEP, trigger=trigger)
        self._holds("7 parent-not-linked", "Is its parent not linked yet?", True, parent=names[0])
        detail = f"the parent is {names[0]} ({above[0]})"
        return self._stop(Reason.PARENT_NOT_SYNCED, trigger=trigger, detail=detail)

    def _matched(self, trigger: Trigger | None) -> AccountPlan | None:
        decided = self._decided(trigger)
        if decided is not None or self.view.chosen == CREATE_NEW:
            return decided
        carriers = self._carriers()
        question = "Does a customer already carry this account's id?"
        if self._holds("8 carries-our-id", question, bool(carriers), customers=_ids(carriers)):
            return self._one_of(carriers, trigger)
        named = [item for item in self.view.candidates if self._has_our_name(item)]
        free = _active_first([item for item in named if self._is_free(item)])
        question = "Are there customers of this name, all of them linked with other accounts?"
        if self._holds("9 name-taken", question, bool(named) and not free, customers=_ids(named)):
            return self._stop(Reason.CUSTOMER_TAKEN, choices=(CREATE_NEW,), trigger=trigger)
        if self._holds(
            "10 same-name", "Is there a free customer of this name?", bool(free), customers=_ids(free)
        ):
            return self._one_of(free, trigger)
        return None

    def _decided(self, trigger: Trigger | None) -> AccountPlan | None:
        """A person's choice comes before everything that is guessed."""
        chosen = [
            item for item in self.view.candidates if item.id == self.view.chosen and self._is_free(item)
        ]
        if chosen and self._holds(
            "8 chosen", "Did a person choose a customer?", True, customers=_ids(chosen)
        ):
            return self._one_of(chosen, trigger)
        return None

    def _one_of(self, customers: list[NetSuiteCustomer], trigger: Trigger | None) -> AccountPlan:
        if len(customers) > 1:
            choices = (*_ids(customers), CREATE_NEW)
            return self._stop(Reason.AMBIGUOUS_CUSTOMER, choices=choices, trigger=trigger)
        customer = customers[0]
        plan = AccountPlan(
            Action.ADOPT,
            OutcomeKind.ADOPTED,
            trigger=trigger,
            counterpart_id=customer.id,
            salesforce_changes={self.policy.salesforce_id_field: customer.id},
        )
        return self._written(
            plan, customer, self._id_field() if customer.salesforce_id != self.account.id else {}
        )

    def _created(self, trigger: Trigger | None) -> AccountPlan:
        none_fits = self.subsidiary is None and bool(self.policy.subsidiary_rules)
        if self._holds("11 no-subsidiary", "Does no subsidiary rule fit?", none_fits):
            return self._stop(Reason.NO_SUBSIDIARY, trigger=trigger)
        self._holds("12 create", "Does no earlier row apply?", True, subsidiary=self.subsidiary)
        given: dict[str, str | None] = {
            "subsidiary": self.subsidiary,
            "entityStatus": self.policy.customer_status_id,
        }
        fields = {name: value for name, value in given.items() if value}
        plan = AccountPlan(Action.CREATE, OutcomeKind.CREATED, trigger=trigger)
        return self._written(plan, None, {"isPerson": False, **fields, **self._id_field()})

    def _written(self, plan: AccountPlan, customer: NetSuiteCustomer | None, more: Fields) -> AccountPlan:
        """The plan with what is to be written for the pair, beside `more` on the customer."""
        written = write_account(self.view, self.policy, customer)
        plan = replace(plan, decisions=written.decisions, trace=tuple(self.trace))
        if written.refusals:
            return _failed(plan, written)
        netsuite = {**written.changes[Side.NETSUITE], **more}
        salesforce = {**written.changes[Side.SALESFORCE], **plan.salesforce_changes}
        changes = bool(netsuite or salesforce)
        if plan.action is Action.SYNC and changes:
            plan = replace(plan, outcome=OutcomeKind.UPDATED)
        if written.undecided:
            plan = replace(
                plan,
                outcome=OutcomeKind.REVIEW,
                reason=Reason.CONFLICT,
                choices=(ConflictPolicy.SALESFORCE, ConflictPolicy.NETSUITE),
                detail=f"to be decided: {', '.join(written.undecided)}",
            )
        return replace(plan, netsuite_changes=netsuite, salesforce_changes=salesforce, agreed=written.agreed)

    def _subsidiary(self) -> str | None:
        """That of the first rule which holds, else the one for all."""
        first = self._first_true([item.rule for item in self.policy.subsidiary_rules])
        ruled = (item.subsidiary_id for item in self.policy.subsidiary_rules if item.rule is first)
        return next(ruled, self.policy.subsidiary_id)

    def _carriers(self) -> list[NetSuiteCustomer]:
        """The external id is unique and so the better evidence; a custom field may have been copied."""
        account, candidates = self.account, self.view.candidates
        by_key = [item for item in candidates if item.external_id == account_key(account.id)]
        by_field = [item for item in candidates if item.salesforce_id == account.id]
        free = [item for item in by_key or by_field if item.id not in self.view.linked_customers]
        return _active_first(free)

    def _has_our_name(self, customer: NetSuiteCustomer) -> bool:
        if name_key(customer.name) != name_key(self.account.name):
            return False
        return self.subsidiary is None or customer.subsidiary_id in (None, self.subsidiary)

    def _is_free(self, customer: NetSuiteCustomer) -> bool:
        return customer.id not in self.view.linked_customers and customer.salesforce_id in (
            None,
            self.account.id,
        )

    def _id_field(self) -> Fields:
        link = self.policy.netsuite_link
        leads = {link.field: link.leading_to(self.account.id)} if link else {}
        return {self.policy.netsuite_id_field: self.account.id, **leads}

    def _holds(
        self, rule: str, question: str, answer: bool, /, *noted: tuple[str, str], **saw: object
    ) -> bool:
        self.trace.append(step(rule, question, answer, *noted, **saw))
        return answer

    def _stop(
        self,
        reason: Reason,
        *,
        choices: tuple[str, ...] = (),
        trigger: Trigger | None = None,
        detail: str = "",
    ) -> AccountPlan:
        return AccountPlan(
            Action.NOTHING,
            CATALOGUE[reason].outcome,
            reason,
            trigger=trigger,
            trace=tuple(self.trace),
            choices=choices,
            detail=detail,
        )


def _failed(plan: AccountPlan, written: Written) -> AccountPlan:
    """A linked account stays linked, whatever is wrong with its fields: its contacts do not wait for them."""
    first = written.refusals[0]
    return replace(
        plan,
        action=plan.action if plan.action is Action.SYNC else Action.NOTHING,
        outcome=OutcomeKind.FAILED,
        reason=Reason(first.code),
        salesforce_changes={},
        error=first,
        detail="; ".join(refusal.message for refusal in written.refusals),
    )


def _ids(customers: Iterable[NetSuiteCustomer]) -> tuple[str, ...]:
    return tuple(sorted(customer.id for customer in customers))


def _active_first(customers: list[NetSuiteCustomer]) -> list[NetSuiteCustomer]:
    active = [customer for customer in customers if not customer.inactive]
    return active or customers
