"""The account gate of behaviour.md section 6: whether an account is linked with a NetSuite customer, and with which.

An account is linked as soon as its hidden id field is set, whoever set it. Otherwise one of the chosen triggers must
fire; then the customer is matched, or created.
"""

from __future__ import annotations

from collections.abc import Iterable

from twinbook.domain.canonical import name_key
from twinbook.domain.case import step
from twinbook.domain.ids import account_key
from twinbook.domain.plan import AccountPlan, AccountView, Action, OutcomeKind, TraceStep, Trigger
from twinbook.domain.policy import AccountPolicy, Accounts
from twinbook.domain.reasons import CATALOGUE, Reason
from twinbook.domain.records import Fields, NetSuiteCustomer, SalesforceAccount, Value
from twinbook.domain.rules import Facts


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
        gate_only = self.policy.accounts is Accounts.GATE_ONLY
        if self._holds("5 gate-only", "Does another tool link the accounts?", gate_only):
            return self._stop(Reason.GATE_ONLY)
        return None

    def _linked(self, netsuite_id: str) -> AccountPlan:
        """The customer's own id field is repaired where accounts are ours to sync and nobody else's id is in it."""
        customer = next((item for item in self.view.candidates if item.id == netsuite_id), None)
        ours = self.policy.accounts is Accounts.SYNC and not (self.view.paused or self.view.stopped)
        blank = customer is not None and customer.salesforce_id is None
        changes = self._id_field() if ours and blank and netsuite_id not in self.view.linked_customers else {}
        outcome = OutcomeKind.UPDATED if changes else OutcomeKind.UNCHANGED
        return AccountPlan(
            Action.SYNC,
            outcome,
            counterpart_id=netsuite_id,
            netsuite_changes=changes,
            trace=tuple(self.trace),
        )

    def _trigger(self) -> Trigger | None:
        """The first trigger that fired. Asking by hand and the push checkbox always count."""
        fired = (
            (Trigger.BY_HAND, self.view.by_hand),
            (Trigger.PUSH, self.account.push_requested),
            (Trigger.CLOSED_WON, self._chosen(Trigger.CLOSED_WON) and self.account.has_won_opportunity),
            (Trigger.RULE, self._chosen(Trigger.RULE) and self._rule_fires()),
            (Trigger.ALL, self._chosen(Trigger.ALL)),
        )
        return next((trigger for trigger, answer in fired if answer), None)

    def _chosen(self, trigger: Trigger) -> bool:
        return trigger in self.policy.triggers

    def _rule_fires(self) -> bool:
        account = self.account
        facts = Facts(
            contact={},
            account={
                **account.fields,
                "Id": account.id,
                "Name": account.name,
                "NetSuiteId": account.netsuite_id,
            },
        )
        for rule in self.policy.rules:
            verdict = rule.check(facts)
            saw = {"error": verdict.error} if verdict.error else {}
            question = f"Is the rule {rule.name!r} true?"
            if self._holds(f"6 rule {rule.name}", question, verdict.passed, *verdict.saw, **saw):
                return True
        return False

    def _reserved(self) -> list[NetSuiteCustomer]:
        taken = self.view.linked_customers
        return [
            item for item in self.view.candidates if item.id == self.view.reserved and item.id not in taken
        ]

    def _matched(self, trigger: Trigger | None) -> AccountPlan | None:
        carriers = self._carriers()
        question = "Does a customer already carry this account's id?"
        if self._holds("7 carries-our-id", question, bool(carriers), customers=_ids(carriers)):
            return self._one_of(carriers, trigger)
        named = [item for item in self.view.candidates if self._has_our_name(item)]
        free = _active_first([item for item in named if self._is_free(item)])
        question = "Are there customers of this name, all of them linked with other accounts?"
        if self._holds("8 name-taken", question, bool(named) and not free, customers=_ids(named)):
            return self._stop(Reason.CUSTOMER_TAKEN, choices=_ids(named), trigger=trigger)
        if self._holds(
            "9 same-name", "Is there a free customer of this name?", bool(free), customers=_ids(free)
        ):
            return self._one_of(free, trigger)
        return None

    def _one_of(self, customers: list[NetSuiteCustomer], trigger: Trigger | None) -> AccountPlan:
        if len(customers) > 1:
            return self._stop(Reason.AMBIGUOUS_CUSTOMER, choices=_ids(customers), trigger=trigger)
        customer = customers[0]
        changes = self._id_field() if customer.salesforce_id != self.account.id else {}
        return AccountPlan(
            Action.ADOPT,
            OutcomeKind.ADOPTED,
            trigger=trigger,
            counterpart_id=customer.id,
            netsuite_changes=changes,
            trace=tuple(self.trace),
        )

    def _created(self, trigger: Trigger | None) -> AccountPlan:
        self._holds("10 create", "Does no earlier row apply?", True)
        fields: dict[str, Value] = {"companyName": self.account.name, "isPerson": False, **self._id_field()}
        if self.policy.subsidiary_id:
            fields["subsidiary"] = self.policy.subsidiary_id
        if self.policy.customer_status_id:
            fields["entityStatus"] = self.policy.customer_status_id
        return AccountPlan(
            Action.CREATE,
            OutcomeKind.CREATED,
            trigger=trigger,
            netsuite_changes=fields,
            trace=tuple(self.trace),
        )

    def _carriers(self) -> list[NetSuiteCustomer]:
        """The external id is unique and so the better evidence; a custom field may have been copied."""
        account, candidates = self.account, self.view.candidates
        by_key = [item for item in candidates if item.external_id == account_key(account.id)]
        by_field = [item for item in candidates if item.salesforce_id == account.id]
        free = [item for item in by_key or by_field if item.id not in self.view.linked_customers]
        return _active_first(free)

    def _has_our_name(self, customer: NetSuiteCustomer) -> bool:
        wanted = self.policy.subsidiary_id
        subsidiary_fits = wanted is None or customer.subsidiary_id in (None, wanted)
        return subsidiary_fits and name_key(customer.name) == name_key(self.account.name)

    def _is_free(self, customer: NetSuiteCustomer) -> bool:
        return customer.id not in self.view.linked_customers and customer.salesforce_id in (
            None,
            self.account.id,
        )

    def _id_field(self) -> Fields:
        return {self.policy.netsuite_id_field: self.account.id}

    def _holds(
        self, rule: str, question: str, answer: bool, /, *noted: tuple[str, str], **saw: object
    ) -> bool:
        self.trace.append(step(rule, question, answer, *noted, **saw))
        return answer

    def _stop(
        self, reason: Reason, *, choices: tuple[str, ...] = (), trigger: Trigger | None = None
    ) -> AccountPlan:
        return AccountPlan(
            Action.NOTHING,
            CATALOGUE[reason].outcome,
            reason,
            trigger=trigger,
            trace=tuple(self.trace),
            choices=choices,
        )


def _ids(customers: Iterable[NetSuiteCustomer]) -> tuple[str, ...]:
    return tuple(sorted(customer.id for customer in customers))


def _active_first(customers: list[NetSuiteCustomer]) -> list[NetSuiteCustomer]:
    active = [customer for customer in customers if not customer.inactive]
    return active or customers
