"""The resource /api/v1/settings: what is set, what a change would be, saving it as a version, going back to one.

A change names keys by their dotted place below the connection, such as `contacts.direction`, as they stand in the
settings file; null takes a key out of the file, so that its default counts.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from twinbook.domain.reasons import OutcomeKind, Reason
from twinbook.domain.records import Entity
from twinbook.settings import SettingsError
from twinbook.settings.revising import Difference
from twinbook.web.access.guard import Administrator, Viewer
from twinbook.web.access.principal import Principal
from twinbook.web.acts import settings as acts
from twinbook.web.api.answers import REFUSALS
from twinbook.web.dashboard import ConnectionName, Dashboard, Deps
from twinbook.web.findings import Stage
from twinbook.web.problems import Problem
from twinbook.web.queries import settings as queries
from twinbook.web.settings import form
from twinbook.web.settings.impacts import Impact

router = APIRouter(tags=["settings"], responses=REFUSALS)

Number = Annotated[int, Path(ge=1, le=2**31)]


class SettingChange(BaseModel):
    """One setting in two states. Null: its default counts."""

    model_config = ConfigDict(from_attributes=True)

    place: str
    before: Any
    after: Any


class SettingsAnswer(BaseModel):
    """The settings of one connection, without its login. `values` are those that count, `given` those that the file
    gives; `digest` names the state of the file; `waiting` says that Twinbook still works with other ones."""

    digest: str
    values: dict[str, Any]
    given: dict[str, Any]
    waiting: bool


class SettingsChanges(BaseModel):
    """Changes by dotted place, to the file of this digest."""

    digest: str = Field(min_length=64, max_length=64)
    changes: dict[str, Any] = Field(min_length=1, max_length=200)


class CheckAnswer(BaseModel):
    """What would be changed."""

    changes: list[SettingChange]


class SavedAnswer(BaseModel):
    """The number of the version that was stored; null where nothing was changed."""

    version: int | None


class VersionAnswer(BaseModel):
    """One state of the settings, and what it changed; null where the state before is not known."""

    id: int
    at: float
    who: str
    changes: list[SettingChange] | None


class VersionList(BaseModel):
    """Versions, newest first. `next` is the `before` of the following page."""

    versions: list[VersionAnswer]
    next: int | None


class MoveCount(BaseModel):
    """So many records would have another outcome."""

    before: OutcomeKind
    before_reason: Reason | None
    after: OutcomeKind
    after_reason: Reason | None
    number: int


class Affected(BaseModel):
    """One record that would turn out differently, and what would be written to each side."""

    entity: Entity
    id: str
    name: str
    before: OutcomeKind
    after: OutcomeKind
    netsuite_changes: dict[str, Any]
    salesforce_changes: dict[str, Any]


class ImpactAnswer(BaseModel):
    """What a change would do, as far as it was looked at. Ask again with the same change for more."""

    stage: Stage
    looked_at: int
    total: int | None
    moves: list[MoveCount]
    other_values: int
    listed: list[Affected]
    fault: str


@router.get("/settings")
async def get_settings(who: Viewer, dashboard: Deps, connection: ConnectionName) -> SettingsAnswer:
    """What is set."""
    standing = await acts.look(dashboard, who, connection)
    values = {".".join(place): value for place, value in form.values_of(standing.now).items()}
    return SettingsAnswer(
        digest=standing.digest, values=values, given=dict(standing.saved), waiting=standing.waiting
    )


@router.post("/settings/check")
async def check_settings(
    _: Administrator, dashboard: Deps, connection: ConnectionName, wanted: SettingsChanges
) -> CheckAnswer:
    """Check a change without saving it."""
    standing = _tried(dashboard, connection, wanted)
    return CheckAnswer(changes=_changes(standing.changed))


@router.post("/settings/impact")
async def impact_of_settings(
    _: Administrator, dashboard: Deps, connection: ConnectionName, wanted: SettingsChanges
) -> ImpactAnswer:
    """What a change would do to accounts and contacts. Nothing is written."""
    standing = _tried(dashboard, connection, wanted)
    impact = acts.try_out(dashboard, connection, standing)
    await dashboard.impacts.settled(connection, 2.0)
    return _impact(impact)


@router.post("/settings")
async def change_settings(
    who: Administrator, dashboard: Deps, connection: ConnectionName, wanted: SettingsChanges
) -> SavedAnswer:
    """Save a change. Refused where the file has changed since its digest was read."""
    return await _save(dashboard, who, connection, wanted)


@router.get("/settings/versions")
async def list_versions(
    _: Viewer,
    dashboard: Deps,
    connection: ConnectionName,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[int | None, Query(ge=1, le=2**31)] = None,
) -> VersionList:
    """Every change that was saved."""
    found = await dashboard.read(lambda tx: queries.steps(tx, limit=limit, before=before), connection)
    versions = [
        VersionAnswer(
            id=step.version.id,
            at=step.version.at,
            who=step.version.who,
            changes=None if step.changed is None else _changes(step.changed),
        )
        for step in found.steps
    ]
    return VersionList(versions=versions, next=found.next)


@router.post("/settings/versions/{number}/restore")
async def restore_version(
    who: Administrator, dashboard: Deps, connection: ConnectionName, number: Number
) -> SavedAnswer:
    """Make the settings what they were in a version, as a new version."""
    digest, changes = await acts.changes_back(dashboard, connection, number)
    if not changes:
        return SavedAnswer(version=None)
    wanted = {".".join(place): value for place, value in changes.items()}
    return await _save(dashboard, who, connection, SettingsChanges(digest=digest, changes=wanted))


async def _save(
    dashboard: Dashboard, who: Principal, connection: str, wanted: SettingsChanges
) -> SavedAnswer:
    standing = _tried(dashboard, connection, wanted)
    if not standing.changed:
        return SavedAnswer(version=None)
    number = await acts.save(dashboard, who, connection, wanted.digest, _places(wanted))
    return SavedAnswer(version=number)


def _tried(dashboard: Dashboard, connection: str, wanted: SettingsChanges) -> acts.Standing:
    """The settings with these changes. Raises `Problem` with a fault for each value that does not fit."""
    try:
        return acts.stand(dashboard, connection, wanted.digest, _places(wanted))
    except SettingsError as error:
        origin = acts.origin_of(dashboard)
        faults = acts.faults_of(error, origin.read(connection))
        raise Problem(422, "The settings do not fit", "Correct what is named.", faults=faults) from None


def _places(wanted: SettingsChanges) -> dict[tuple[str, ...], Any]:
    return {tuple(place.split(".")): value for place, value in wanted.changes.items()}


def _changes(found: list[Difference]) -> list[SettingChange]:
    return [SettingChange.model_validate(item) for item in found]


def _impact(impact: Impact) -> ImpactAnswer:
    moves = [
        MoveCount(
            before=move.before,
            before_reason=move.before_reason,
            after=move.after,
            after_reason=move.after_reason,
            number=number,
        )
        for move, number in impact.moves.most_common()
    ]
    listed = [
        Affected(
            entity=item.key.entity,
            id=item.key.id,
            name=item.name,
            before=item.before.outcome,
            after=item.after.outcome,
            netsuite_changes=dict(item.after.netsuite_changes),
            salesforce_changes=dict(item.after.salesforce_changes),
        )
        for item in impact.listed
    ]
    return ImpactAnswer(
        stage=impact.stage,
        looked_at=impact.looked_at,
        total=impact.total,
        moves=moves,
        other_values=impact.other_values,
        listed=listed,
        fault=impact.fault,
    )
