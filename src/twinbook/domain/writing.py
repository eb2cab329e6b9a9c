"""From the decision that a pair belongs together to what is written on each side.

Besides the mapped fields, a pair is held together by its company and subsidiary, by the contact's name in NetSuite
(which is sent with each change of a name part and never read back, netsuite.md 2.4) and by the hidden ids.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from twinbook.domain.agreement import INACTIVATED, Agreement, agreement_on, stored
from twinbook.domain.case import Case, facts_of
from twinbook.domain.checks import problems
from twinbook.domain.errors import PermanentError
from twinbook.domain.ids import renamed
from twinbook.domain.mapping import COMPANY_ROW, NAME_PARTS, ConflictPolicy
from twinbook.domain.merge import Merge, Pair, decide, merge, target_of
from twinbook.domain.plan import Action, ContactPlan, FieldDecision, FieldVerdict, OutcomeKind
from twinbook.domain.ports import Schema
from twinbook.domain.reasons import Reason
from twinbook.domain.records import Fields, NetSuiteContact, SalesforceContact, Side, Value
from twinbook.domain.resolution import Resolution
from twinbook.domain.sending import settled, shown_fields
from twinbook.domain.why import both_values

_LINKING = frozenset({Action.ADOPT, Action.INHERIT})


@dataclass(frozen=True, slots=True)
class Bond:
    """Two records that are to be a pair; one of them may be yet to be created. `target` is the counterpart's side:
    where a record is created or was found."""

    action: Action
    salesforce: SalesforceContact | None
    netsuite: NetSuiteContact | None
    agreed: Fields = field(default_factory=dict)
    target: Side = Side.NETSUITE

    @property
    def creates(self) -> Side | None:
        if self.salesforce is None:
            return Side.SALESFORCE
        return Side.NETSUITE if self.netsuite is None else None

    @property
    def counterpart_id(self) -> str | None:
        record = self.netsuite if self.target is Side.NETSUITE else self.salesforce
        return record.id if record else None


def write(case: Case, bond: Bond) -> ContactPlan:
    """The plan that makes `bond` true: what to write on each side, or why it cannot be written."""
    writable = case.writable if case.policy.update or bond.creates else frozenset[Side]()
    pair = Pair(
        bond.salesforce.fields if bond.salesforce else None,
        bond.netsuite.fields if bond.netsuite else None,
        settled(
            bond.agreed, case.view.sent, case.policy.mapping, shown_fields(bond.salesforce, bond.netsuite)
        ),
        facts_of(case.view.gate, bond.salesforce, bond.netsuite, case.policy.mapping),
        writable,
        _schemas(case),
        Resolution.of(case.view.chosen, case.view.resolved),
    )
    bond = replace(bond, agreed=pair.agreed)
    merged = merge(case.policy.mapping, pair)
    company = _company(case, bond, writable)
    changes = _with_surroundings(case, bond, merged, company)
    refusals = [*merged.errors, *_refusals(case, bond, changes)]
    if refusals:
        return _failed(case, bond, merged, refusals)
    return _planned(case, bond, merged, company, changes)


def named(fields: Fields) -> str:
    """The contact name that NetSuite composes: "First Middle Last"."""
    parts = (str(fields.get(part) or "").strip() for part in NAME_PARTS)
    return " ".join(part for part in parts if part)


@dataclass(frozen=True, slots=True)
class _Company:
    """How account and company were decided, what is written for it, and what is agreed then."""

    decision: FieldDecision
    agreement: Agreement | None
    netsuite: str | None = None
    salesforce: str | None = None
    writes: Side | None = None


def _company(case: Case, bond: Bond, writable: frozenset[Side]) -> _Company:
    """Account and company are compared as customer ids, by the same rule as any field."""
    then = agreement_on(COMPANY_ROW.key, bond.agreed)
    gate = case.view.gate
    ours = gate.customer_id if bond.salesforce else None
    theirs = bond.netsuite.company_id if bond.netsuite else None
    verdict, why = decide(ours, theirs, then, conflict=ConflictPolicy.SALESFORCE, writable=writable)
    target = target_of(verdict, writable)
    account = gate if bond.salesforce is None else case.view.netsuite_gate
    if target is Side.SALESFORCE and (account is None or account.account_id is None):
        verdict, target = FieldVerdict.LEFT_ALONE, None
        why = "the NetSuite company is not linked with a Salesforce account"
    agreed_then = then.salesforce if then else None
    decision = FieldDecision(COMPANY_ROW.key, ours, theirs, agreed_then, verdict, why)
    if target is Side.NETSUITE:
        return _Company(decision, Agreement(ours, ours), netsuite=ours, writes=target)
    if target is Side.SALESFORCE and account is not None:
        return _Company(decision, Agreement(theirs, theirs), salesforce=account.account_id, writes=target)
    same = verdict is FieldVerdict.SAME
    return _Company(decision, Agreement(ours, theirs) if same else then)


def _with_surroundings(
    case: Case, bond: Bond, merged: Merge, company: _Company
) -> dict[Side, dict[str, Value]]:
    salesforce, netsuite = dict(merged.changes[Side.SALESFORCE]), dict(merged.changes[Side.NETSUITE])
    if company.writes is Side.NETSUITE:
        netsuite["company"] = company.netsuite
    if company.writes is Side.SALESFORCE:
        salesforce["AccountId"] = company.salesforce
    if company.writes is Side.NETSUITE or bond.creates is Side.NETSUITE:
        netsuite |= _subsidiary(case, bond.netsuite)
    if bond.creates is Side.NETSUITE or not netsuite.keys().isdisjoint(NAME_PARTS):
        netsuite |= _contact_name(bond, netsuite)
    if bond.netsuite and bond.netsuite.inactive and INACTIVATED in bond.agreed:
        netsuite.setdefault("isInactive", False)
    _add_ids(case, bond, salesforce, netsuite)
    return {Side.SALESFORCE: salesforce, Side.NETSUITE: netsuite}


def _subsidiary(case: Case, netsuite: NetSuiteContact | None) -> dict[str, Value]:
    """A contact must suit its company's subsidiary (netsuite.md 8.1). A new one without a company gets the one that the
    settings give: OneWorld lets none be without."""
    gate, wanted = case.view.gate, case.view.gate.subsidiary_id
    if netsuite is None and gate.account_id is None:
        wanted = case.policy.subsidiary_id
    current = netsuite.fields.get("subsidiary") if netsuite else None
    return {} if wanted is None or current == wanted else {"subsidiary": wanted}


def _contact_name(bond: Bond, netsuite_changes: Fields) -> dict[str, Value]:
    before = dict(bond.netsuite.fields) if bond.netsuite else {}
    name = named({**before, **netsuite_changes})
    if not name or bond.salesforce is None:
        return {}
    return {"entityId": renamed(name, bond.netsuite.name if bond.netsuite else "", bond.salesforce.id)}


def _add_ids(case: Case, bond: Bond, salesforce: dict[str, Value], netsuite: dict[str, Value]) -> None:
    """Hidden ids that are missing or wrong are set, whatever the direction of the data. The link for people goes along
    with other writes; it is not worth a call of its own."""
    if bond.netsuite and (bond.salesforce is None or bond.salesforce.netsuite_id != bond.netsuite.id):
        salesforce[case.policy.salesforce_id_field] = bond.netsuite.id
    if bond.salesforce and (bond.netsuite is None or bond.netsuite.salesforce_id != bond.salesforce.id):
        netsuite[case.policy.netsuite_id_field] = bond.salesforce.id
    link = case.policy.netsuite_link
    if link is not None and bond.salesforce and (netsuite or bond.creates is Side.NETSUITE):
        wanted = link.leading_to(bond.salesforce.id)
        if bond.netsuite is None or bond.netsuite.fields.get(link.field) != wanted:
            netsuite[link.field] = wanted


def _refusals(case: Case, bond: Bond, changes: dict[Side, dict[str, Value]]) -> list[PermanentError]:
    rows = case.policy.mapping.rows
    found: list[PermanentError] = []
    for side, schema in _schemas(case).items():
        found += problems(side, changes[side], schema, rows, creating=bond.creates is side)
    return found


def _failed(case: Case, bond: Bond, merged: Merge, refusals: list[PermanentError]) -> ContactPlan:
    return ContactPlan(
        Action.NOTHING,
        OutcomeKind.FAILED,
        Reason(refusals[0].code),
        target=bond.target,
        counterpart_id=bond.counterpart_id,
        decisions=merged.decisions,
        trace=tuple(case.trace),
        error=refusals[0],
        detail="; ".join(refusal.message for refusal in refusals),
    )


def _planned(
    case: Case, bond: Bond, merged: Merge, company: _Company, changes: dict[Side, dict[str, Value]]
) -> ContactPlan:
    agreements = dict(merged.agreements)
    if company.agreement is not None:
        agreements[COMPANY_ROW.key] = company.agreement
    plan = ContactPlan(
        bond.action,
        _outcome(bond, changes),
        target=bond.target,
        counterpart_id=bond.counterpart_id,
        netsuite_changes=changes[Side.NETSUITE],
        salesforce_changes=changes[Side.SALESFORCE],
        agreed=stored(agreements),
        decisions=(*merged.decisions, company.decision),
        trace=tuple(case.trace),
    )
    undecided = [item for item in merged.decisions if item.verdict is FieldVerdict.CONFLICT_REVIEW]
    if not undecided:
        return plan
    return replace(
        plan,
        outcome=OutcomeKind.REVIEW,
        reason=Reason.CONFLICT,
        choices=(ConflictPolicy.SALESFORCE, ConflictPolicy.NETSUITE),
        detail=f"to be decided: {'; '.join(f'{item.row}: {both_values(item)}' for item in undecided)}",
    )


def _outcome(bond: Bond, changes: dict[Side, dict[str, Value]]) -> OutcomeKind:
    if bond.action is Action.CREATE:
        return OutcomeKind.CREATED
    if bond.action in _LINKING:
        return OutcomeKind.ADOPTED
    return OutcomeKind.UPDATED if any(changes.values()) else OutcomeKind.UNCHANGED


def _schemas(case: Case) -> dict[Side, Schema | None]:
    return {Side.SALESFORCE: case.policy.salesforce_schema, Side.NETSUITE: case.policy.netsuite_schema}
