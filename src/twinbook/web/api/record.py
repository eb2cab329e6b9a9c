"""GET /api/v1/contacts/{side}/{id}, the same for accounts, and what may be done about one record."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from twinbook.domain.mapping import ConflictPolicy
from twinbook.domain.plan import FieldVerdict
from twinbook.domain.reasons import OutcomeKind, Reason
from twinbook.domain.records import Side, Value
from twinbook.engine.care.resolving import Wish
from twinbook.engine.care.undoing import Step
from twinbook.web.access.guard import Operator, Viewer
from twinbook.web.acts import record as acts
from twinbook.web.api.answers import CONFLICT, REFUSALS, UNREACHABLE
from twinbook.web.dashboard import ConnectionName, Deps
from twinbook.web.looking import KeyInPath, about_records, look_at, shown_under
from twinbook.web.problems import Fault, Problem
from twinbook.web.queries.record import Record

router = APIRouter(tags=["records"], responses=REFUSALS | CONFLICT | UNREACHABLE)


class _Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class FieldOfPair(_Shown):
    """One mapped field: both values, what was agreed (null: never, or empty), and what follows."""

    row: str
    salesforce: Value
    netsuite: Value
    agreed: Value
    agreed_in_netsuite: Value
    ever_agreed: bool
    verdict: FieldVerdict | None
    why: str


class Rule(_Shown):
    """One rule that was looked at, in order; the last one whose answer is true decided."""

    rule: str
    question: str
    answer: bool
    saw: Mapping[str, str]


class ChangeOfField(_Shown):
    """One field that was written. `source` is whose value it was; `lost` says that `before` lost a conflict."""

    side: Side
    field: str
    before: Value
    after: Value
    source: Side | None
    saved_by: str | None
    lost: bool


class HistoryEntry(_Shown):
    """One thing that happened."""

    id: int
    at: float
    what: str
    who: str
    why: str
    changes: list[ChangeOfField]


class RecordAnswer(BaseModel):
    """One record with its counterpart. `silence` says why the systems could not be asked; then it is from memory."""

    name: str
    email: str | None
    salesforce_id: str | None
    netsuite_id: str | None
    paired: str
    outcome: OutcomeKind | None
    reason: Reason | None
    said: str
    silence: str
    fields: list[FieldOfPair]
    trace: list[Rule]
    choices: list[str]
    history: list[HistoryEntry]


class Chosen(BaseModel):
    choice: Annotated[str, StringConstraints(min_length=1, max_length=40)] = Field(
        description="One of the record's `choices`."
    )


class Resolution(BaseModel):
    """What is decided about fields in conflict, by `row`: one side, or a value for both. `otherwise` for the rest."""

    sides: dict[str, Side] = {}
    values: dict[str, Annotated[str, StringConstraints(max_length=4000)]] = {}
    otherwise: Side | None = None


class FieldGivenBack(_Shown):
    """One field of an undo; with an obstacle it is left as it is."""

    side: Side
    field: str
    shows: Value
    restored: Value
    obstacle: str


class UndoAnswer(_Shown):
    """What undoing one entry does. `refused` is what a system had against it."""

    step: Step
    fields: list[FieldGivenBack]
    obstacle: str
    refused: str = ""


class Done(BaseModel):
    """It is stored, and carried out at once."""

    done: bool = True


@about_records(router, "GET")
async def get_record(_: Viewer, dashboard: Deps, connection: ConnectionName, key: KeyInPath) -> RecordAnswer:
    """Why it is, or is not, on the other side: both records, the rules, the history."""
    shown = await shown_under(dashboard, connection, key)
    return _answer(await look_at(dashboard, connection, shown))


@about_records(router, "POST", "/push")
async def push(who: Operator, dashboard: Deps, connection: ConnectionName, key: KeyInPath) -> Done:
    """Have it looked at now."""
    return await _carried(acts.push(dashboard, who, connection, key))


@about_records(router, "POST", "/leave-out")
async def leave_out(who: Operator, dashboard: Deps, connection: ConnectionName, key: KeyInPath) -> Done:
    """Keep it out of the sync until it is taken in again."""
    return await _carried(acts.leave_out(dashboard, who, connection, key))


@about_records(router, "POST", "/take-in")
async def take_in(who: Operator, dashboard: Deps, connection: ConnectionName, key: KeyInPath) -> Done:
    """Take back what was decided about it."""
    return await _carried(acts.take_in(dashboard, who, connection, key))


@about_records(router, "POST", "/choose")
async def choose(
    who: Operator, dashboard: Deps, connection: ConnectionName, key: KeyInPath, given: Chosen
) -> Done:
    """Take one of the choices that there are."""
    return await _carried(acts.choose(dashboard, who, connection, key, given.choice))


@about_records(router, "POST", "/resolve")
async def resolve(
    who: Operator, dashboard: Deps, connection: ConnectionName, key: KeyInPath, given: Resolution
) -> Done:
    """Decide fields in conflict: all of them, or nothing is stored."""
    sides = {row: ConflictPolicy(side.value) for row, side in given.sides.items()}
    otherwise = ConflictPolicy(given.otherwise.value) if given.otherwise else None
    wish = Wish(given.values, sides, otherwise)
    flaws = await acts.resolve(dashboard, who, connection, key, wish)
    if flaws:
        faults = [Fault("fields", flaw) for flaw in flaws]
        raise Problem(422, "Nothing was decided", "Correct what is named.", faults=faults)
    return Done()


@about_records(router, "GET", "/undo/{entry}")
async def preview_undo(
    _: Operator, dashboard: Deps, connection: ConnectionName, key: KeyInPath, entry: int
) -> UndoAnswer:
    """What undoing an entry of its history would do; nothing is written."""
    return UndoAnswer.model_validate(await acts.preview_undo(dashboard, connection, key, entry))


@about_records(router, "POST", "/undo/{entry}")
async def undo(
    who: Operator, dashboard: Deps, connection: ConnectionName, key: KeyInPath, entry: int
) -> UndoAnswer:
    """Undo an entry of its history."""
    carried = await acts.undo(dashboard, who, connection, key, entry)
    return UndoAnswer.model_validate(carried.undo).model_copy(update={"refused": carried.refused})


async def _carried(work: Awaitable[None]) -> Done:
    await work
    return Done()


def _answer(found: Record) -> RecordAnswer:
    return RecordAnswer(
        name=found.name,
        email=found.email,
        salesforce_id=found.salesforce_id,
        netsuite_id=found.netsuite_id,
        paired=found.paired,
        outcome=found.kind,
        reason=found.reason,
        said=found.said,
        silence=found.silence,
        fields=[FieldOfPair.model_validate(line) for line in found.fields],
        trace=[Rule.model_validate(step) for step in found.trace],
        choices=list(found.choices),
        history=[HistoryEntry.model_validate(entry) for entry in found.memory.known.history],
    )
