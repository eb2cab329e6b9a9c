"""What the planner is asked and what it answers. Both are values: the engine reads, the planner decides, the engine
writes.

A plan says what should become true; how a write is carried out, retried or found again after a crash is the engine's
affair.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from twinbook.domain.errors import PermanentError
from twinbook.domain.reasons import OutcomeKind as OutcomeKind
from twinbook.domain.reasons import Reason
from twinbook.domain.records import (
    Fields,
    Link,
    NetSuiteContact,
    NetSuiteCustomer,
    SalesforceAccount,
    SalesforceContact,
    Sent,
    Side,
    Value,
)
from twinbook.domain.resolution import FieldChoices


class Action(StrEnum):
    """What the engine has to do.

    NOTHING   no link changes and nothing is written (skipped, waiting, review, failed)
    CREATE    create the counterpart on `target` with that side's changes, link it, write the ids back
    ADOPT     link with the existing `counterpart_id`, write both sides' changes
    SYNC      linked already, or a tombstone that is reopened: write both sides' changes (none: unchanged), store
              `agreed`
    INHERIT   the winner of a merge takes over `counterpart_id` from the loser's link, then as SYNC
    CLOSE     turn the link into a tombstone; both sides' changes (for example inactivation) are written first
    DELETE    delete the record on `target`, then as CLOSE
    """

    NOTHING = "nothing"
    CREATE = "create"
    ADOPT = "adopt"
    SYNC = "sync"
    INHERIT = "inherit"
    CLOSE = "close"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One rule that was looked at. `saw` holds the values it saw, as text that a person can read."""

    rule: str
    question: str
    answer: bool
    saw: tuple[tuple[str, str], ...] = ()


class FieldVerdict(StrEnum):
    """How one mapped field was decided."""

    SAME = "same"
    TO_NETSUITE = "to-netsuite"
    TO_SALESFORCE = "to-salesforce"
    LEFT_ALONE = "left-alone"
    CONFLICT_SALESFORCE_WON = "conflict-salesforce-won"
    CONFLICT_NETSUITE_WON = "conflict-netsuite-won"
    CONFLICT_GIVEN = "conflict-given"
    CONFLICT_REVIEW = "conflict-review"


@dataclass(frozen=True, slots=True)
class FieldDecision:
    """One mapping row in the merge: the canonical values it saw, the verdict, and why in plain words."""

    row: str
    salesforce: Value
    netsuite: Value
    agreed: Value
    verdict: FieldVerdict
    why: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A NetSuite contact that could be the counterpart, and the live Salesforce contact it already belongs to."""

    record: NetSuiteContact
    linked_to: str | None = None


@dataclass(frozen=True, slots=True)
class SalesforceCandidate:
    """The same from NetSuite's point of view."""

    record: SalesforceContact
    linked_to: str | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """What is known of the account of the pair. `linked` means its NetSuite customer is known."""

    account_id: str | None
    account_name: str | None = None
    customer_id: str | None = None
    subsidiary_id: str | None = None

    @property
    def linked(self) -> bool:
        return self.customer_id is not None


@dataclass(frozen=True, slots=True)
class ContactView:
    """One pair of contacts, or the half of it that exists, with all that the rules may look at.

    `netsuite` is the linked counterpart, None when there is no link or when the counterpart is gone. `candidates`
    and `salesforce_candidates` matter while there is no counterpart: no link, a tombstone, or a link whose NetSuite
    contact is gone. `merged_link` is the link of a contact that was merged into this one, `winner_link` that of the
    contact into which this one was merged. `netsuite_gate` is the account of the NetSuite contact's own company, where
    that is another one than the Salesforce contact's. `chosen` is what a person picked: one of the plan's `choices`;
    `resolved` is what a person decided about single fields in conflict. `sent` is
    what the look before this one was about to write. `stopped` is true while a safety valve holds
    the connection.
    """

    gate: Gate
    salesforce: SalesforceContact | None = None
    netsuite: NetSuiteContact | None = None
    link: Link | None = None
    candidates: tuple[Candidate, ...] = ()
    salesforce_candidates: tuple[SalesforceCandidate, ...] = ()
    merged_link: Link | None = None
    winner_link: Link | None = None
    netsuite_gate: Gate | None = None
    chosen: str | None = None
    resolved: FieldChoices = field(default_factory=dict)
    sent: tuple[Sent, ...] = ()
    paused: bool = False
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class ContactPlan:
    """The decision for one pair. `reason` explains skipped, waiting, review and failed; None otherwise.

    `action` says what to do and `outcome` what to show: a field conflict is shown as review while the other fields
    are still written. `counterpart_id` is the record on `target` that is linked, found, or to be deleted; None while
    it is yet to be created. `netsuite_changes` and `salesforce_changes` are vendor fields to write, id fields included
    where the id is known; only the id of a record that is yet to be created is missing. `agreed` replaces the link's
    agreed values if the targets keep what is written; `twinbook.domain.agreement.agreed_after` works it out from what
    they kept. `choices` are what a person can choose from: ids, or words such as "new" and "keep". `setting` is
    the setting that decided, where one did and no person chose otherwise.
    """

    action: Action
    outcome: OutcomeKind
    reason: Reason | None = None
    target: Side | None = None
    counterpart_id: str | None = None
    netsuite_changes: Fields = field(default_factory=dict)
    salesforce_changes: Fields = field(default_factory=dict)
    agreed: Fields = field(default_factory=dict)
    decisions: tuple[FieldDecision, ...] = ()
    trace: tuple[TraceStep, ...] = ()
    choices: tuple[str, ...] = ()
    error: PermanentError | None = None
    detail: str = ""
    setting: str = ""


class Trigger(StrEnum):
    """What may make an account sync (behaviour.md 6). `push` and `by hand` are always on; so is `child`: an account
    below it is to be synced, and parents go first."""

    CLOSED_WON = "closed-won"
    QUOTE = "quote"
    PUSH = "push"
    RULE = "rule"
    ALL = "all"
    BY_HAND = "by-hand"
    CHILD = "child"


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account with the customers that could be its counterpart, or with the one that it is linked with.

    `agreed` are the link's agreed values. `ancestors` are the parents that are not linked, the nearest first, as far
    as the first one that is. `awaited` is true when an account below waits for this one. `by_hand` is true when a
    person asked for it, `chosen` is what a person picked: one of the plan's `choices`; `resolved` is what a person
    decided about single fields in conflict. `reserved` is the customer that
    a merge left to it, or that it was about to be linked with when Twinbook was cut off.
    """

    account: SalesforceAccount
    candidates: tuple[NetSuiteCustomer, ...] = ()
    linked_customers: frozenset[str] = frozenset()
    agreed: Fields = field(default_factory=dict)
    ancestors: tuple[SalesforceAccount, ...] = ()
    awaited: bool = False
    by_hand: bool = False
    chosen: str | None = None
    resolved: FieldChoices = field(default_factory=dict)
    reserved: str | None = None
    paused: bool = False
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class AccountPlan:
    """The decision for one account: NOTHING, ADOPT (`counterpart_id`), CREATE, or SYNC (linked already).

    SYNC opens the gate whatever `outcome` says of the fields. Changes, agreed values and decisions are those of
    `ContactPlan`; the id of a customer that is yet to be created is missing from `salesforce_changes`.
    """

    action: Action
    outcome: OutcomeKind
    reason: Reason | None = None
    trigger: Trigger | None = None
    counterpart_id: str | None = None
    netsuite_changes: Fields = field(default_factory=dict)
    salesforce_changes: Fields = field(default_factory=dict)
    agreed: Fields = field(default_factory=dict)
    decisions: tuple[FieldDecision, ...] = ()
    trace: tuple[TraceStep, ...] = ()
    choices: tuple[str, ...] = ()
    error: PermanentError | None = None
    detail: str = ""
