"""One contact on its way through the rows of behaviour.md: what is known, what has been asked, and the ways to end."""

from __future__ import annotations

from dataclasses import dataclass, field

from twinbook.domain.mapping import ContactMapping
from twinbook.domain.matching import CREATE_NEW, candidates_of, salesforce_candidates_of
from twinbook.domain.plan import (
    Action,
    Candidate,
    ContactPlan,
    ContactView,
    Gate,
    OutcomeKind,
    SalesforceCandidate,
    TraceStep,
)
from twinbook.domain.policy import ContactPolicy
from twinbook.domain.reasons import CATALOGUE, Reason
from twinbook.domain.records import Fields, LinkState, NetSuiteContact, SalesforceContact, Side, Value
from twinbook.domain.rules import Facts


@dataclass(slots=True)
class Case:
    """A view, the policy it is judged by, and the trace so far."""

    view: ContactView
    policy: ContactPolicy
    trace: list[TraceStep] = field(default_factory=list)

    @property
    def contact(self) -> SalesforceContact | None:
        """The live Salesforce contact."""
        contact = self.view.salesforce
        return None if contact is None or contact.deleted else contact

    @property
    def salesforce_id(self) -> str | None:
        if self.view.salesforce is not None:
            return self.view.salesforce.id
        return self.view.link.salesforce_id if self.view.link else None

    @property
    def linked(self) -> bool:
        """Linked with a counterpart that was known by id. `creating` is no link yet: the id is looked for first."""
        link = self.view.link
        return link is not None and link.state is LinkState.LINKED and link.netsuite_id is not None

    @property
    def tombstone(self) -> bool:
        return self.view.link is not None and self.view.link.state is LinkState.CLOSED

    @property
    def counterpart(self) -> NetSuiteContact | None:
        """The linked NetSuite contact; that of a tombstone too, unless it belongs to somebody else by now."""
        netsuite = self.view.netsuite
        if netsuite is None or self.linked:
            return netsuite if self.linked else None
        ours = netsuite.salesforce_id in (None, self.salesforce_id)
        return netsuite if self.tombstone and ours else None

    @property
    def agreed(self) -> Fields:
        return self.view.link.agreed if self.view.link else {}

    @property
    def writable(self) -> frozenset[Side]:
        return frozenset(side for side in Side if self.policy.direction.reaches(side))

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        return candidates_of(self.view)

    @property
    def salesforce_candidates(self) -> tuple[SalesforceCandidate, ...]:
        return salesforce_candidates_of(self.view)

    @property
    def chosen_record(self) -> NetSuiteContact | None:
        """The candidate that a person chose."""
        return next((item.record for item in self.candidates if item.record.id == self.view.chosen), None)

    @property
    def wants_new(self) -> bool:
        return self.view.chosen == CREATE_NEW

    def holds(
        self, rule: str, question: str, answer: bool, /, *noted: tuple[str, str], **saw: object
    ) -> bool:
        """Ask one row, note it with what it saw, and give the answer back."""
        self.trace.append(step(rule, question, answer, *noted, **saw))
        return answer

    def stop(
        self,
        reason: Reason,
        *,
        detail: str = "",
        choices: tuple[str, ...] = (),
        outcome: OutcomeKind | None = None,
        action: Action = Action.NOTHING,
        netsuite_changes: Fields | None = None,
        target: Side | None = None,
        counterpart_id: str | None = None,
    ) -> ContactPlan:
        """End with a reason. The outcome is the reason's own unless it is given."""
        return ContactPlan(
            action,
            outcome or CATALOGUE[reason].outcome,
            reason,
            target=target,
            counterpart_id=counterpart_id or (self.view.link.netsuite_id if self.view.link else None),
            netsuite_changes=netsuite_changes or {},
            trace=tuple(self.trace),
            choices=choices,
            detail=detail,
        )


def step(rule: str, question: str, answer: bool, /, *noted: tuple[str, str], **saw: object) -> TraceStep:
    """A trace step. `noted` is shown as it is, the names of `saw` with blanks for underscores."""
    shown = tuple((name.replace("_", " "), _text(value)) for name, value in saw.items())
    return TraceStep(rule, question, answer, (*noted, *shown))


def facts_of(
    gate: Gate,
    salesforce: SalesforceContact | None,
    netsuite: NetSuiteContact | None,
    mapping: ContactMapping,
    named: frozenset[str] = frozenset(),
) -> Facts:
    """What expressions may look at.

    A contact that exists in NetSuite only is seen as it would be in Salesforce: mapped fields with NetSuite's values,
    any other field that the expressions name empty.
    """
    fields: dict[str, Value]
    if salesforce is not None:
        fields = dict(salesforce.fields)
    else:
        fields = {name: None for name in named if not name.startswith("Account.")}
        fields |= _as_in_salesforce(mapping, netsuite)
    account: dict[str, Value] = {
        name.removeprefix("Account."): value for name, value in fields.items() if name.startswith("Account.")
    }
    account |= {"Id": gate.account_id, "Name": gate.account_name, "NetSuiteId": gate.customer_id}
    roles = salesforce.roles if salesforce is not None else frozenset()
    return Facts(fields, account, roles, dict(netsuite.fields) if netsuite else {})


def _as_in_salesforce(mapping: ContactMapping, netsuite: NetSuiteContact | None) -> dict[str, Value]:
    if netsuite is None:
        return {}
    rows = (row for row in mapping.rows if row.salesforce and row.netsuite)
    return {row.salesforce: row.written(Side.SALESFORCE, netsuite.fields.get(row.netsuite)) for row in rows}


def _text(value: object) -> str:
    if value is None or value == "":
        return "(none)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, frozenset | set | tuple | list):
        return ", ".join(sorted(str(item) for item in value)) or "(none)"
    return str(value)
