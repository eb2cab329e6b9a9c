"""Changing the settings of a connection: kept as a draft, looked at, then saved as a version.

The file is the truth. It is written only if it still is what it was when the change was made to it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson

from twinbook.settings import ConnectionSettings, SettingsError
from twinbook.settings.revising import Changes, Difference, Origin, Revision, changes_to, differences
from twinbook.store import audit, revisions
from twinbook.store.audit import Act
from twinbook.store.database import Tx
from twinbook.store.revisions import BY_HAND, Draft
from twinbook.web.access.principal import Principal
from twinbook.web.dashboard import Dashboard
from twinbook.web.problems import Fault, NotFound, Problem
from twinbook.web.settings.impacts import Impact

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Standing:
    """The settings as a person sees them: those in force, and theirs with what they changed and did not save.

    `digest` is that of the file. `outdated`: somebody changed the file after the draft was begun. `waiting`: the file
    says something else than what this process runs with.
    """

    digest: str
    saved: Mapping[str, Any]
    now: ConnectionSettings
    wanted: ConnectionSettings
    revision: Revision
    changed: list[Difference]
    outdated: bool
    waiting: bool

    @property
    def name(self) -> str:
        """Tells this change from others."""
        changes = orjson.dumps([[item.place, item.after] for item in self.changed])
        return hashlib.sha256(self.digest.encode() + changes).hexdigest()


def origin_of(dashboard: Dashboard) -> Origin:
    """Raises `Problem` where this dashboard does not know the file."""
    if dashboard.origin is None:
        raise Problem(
            503, "The settings cannot be changed here", "This dashboard was started without their file."
        )
    return dashboard.origin


async def look(dashboard: Dashboard, who: Principal, connection: str) -> Standing:
    """The settings with this person's draft. Raises `Problem` for a file that is in no order."""
    kept = await dashboard.read(lambda tx: revisions.draft(tx, who.login), connection)
    return _standing(dashboard, connection, kept)


async def keep(
    dashboard: Dashboard, who: Principal, connection: str, changes: Changes, *, digest: str | None = None
) -> Standing:
    """Add changes to the draft. `digest` is that of the file they were made to. Raises `SettingsError` for values that
    do not fit, `Problem` where the file has changed since."""
    now = dashboard.now()
    kept = await dashboard.read(lambda tx: revisions.draft(tx, who.login), connection)
    revision = _read(dashboard, connection)
    expected = {kept.digest if kept else None, digest} - {None}
    if expected - {revision.digest}:
        raise _changed_meanwhile()
    saved = revision.snapshot()
    revision.apply({**(kept.changes if kept else {}), **changes})
    revision.settings()
    draft = Draft(revision.digest, changes_to(saved, revision.snapshot()), now)
    await dashboard.write(lambda tx: revisions.keep_draft(tx, who.login, draft), connection)
    return _standing(dashboard, connection, draft)


async def put_on_top(dashboard: Dashboard, who: Principal, connection: str) -> None:
    """Make an outdated draft one of the file as it is now."""
    kept = await dashboard.read(lambda tx: revisions.draft(tx, who.login), connection)
    await discard(dashboard, who, connection)
    if kept:
        await _fitting(keep(dashboard, who, connection, kept.changes))


async def discard(dashboard: Dashboard, who: Principal, connection: str) -> None:
    await dashboard.write(lambda tx: revisions.discard(tx, who.login), connection)


async def restore(dashboard: Dashboard, who: Principal, connection: str, number: int) -> Standing:
    """Make a draft that brings back what a version said. Raises `Problem`."""
    digest, changes = await changes_back(dashboard, connection, number)
    await discard(dashboard, who, connection)
    return await _fitting(keep(dashboard, who, connection, changes, digest=digest))


async def changes_back(dashboard: Dashboard, connection: str, number: int) -> tuple[str, Changes]:
    """The state of the file, and what makes it say what a version said. Raises `Problem`."""
    version = await dashboard.read(lambda tx: revisions.by_id(tx, number), connection)
    if version is None:
        raise NotFound("version")
    revision = _read(dashboard, connection)
    return revision.digest, changes_to(revision.snapshot(), version.snapshot)


def stand(dashboard: Dashboard, connection: str, digest: str, changes: Changes) -> Standing:
    """The settings with these changes. Raises `SettingsError` for values that do not fit, `Problem` where the file is
    not the one of this digest."""
    revision = _read(dashboard, connection)
    if revision.digest != digest:
        raise _changed_meanwhile()
    revision.apply(changes)
    revision.settings()
    return _standing(dashboard, connection, Draft(digest, changes, dashboard.now()))


async def save(dashboard: Dashboard, who: Principal, connection: str, digest: str, changes: Changes) -> int:
    """Write the file and store the version; its number. `digest` is that of the file that the changes were made to.

    Raises `Problem` where it has changed since or cannot be written, `SettingsError` for values that do not fit.
    """
    now = dashboard.now()

    def work(tx: Tx) -> int:
        revision = _read(dashboard, connection)
        if revision.digest != digest:
            raise _changed_meanwhile()
        before = revision.snapshot()
        revision.apply(changes)
        revision.settings()
        after = revision.snapshot()
        last = revisions.latest(tx, limit=1)
        if not last or last[0].snapshot != before:
            revisions.add(tx, BY_HAND, before, now=now)
        number = revisions.add(tx, who.login, after, now=now)
        revisions.discard(tx, who.login)
        places = [item.place for item in differences(before, after)]
        act = Act(who.login, "settings.saved", f"version {number}", connection, {"places": places})
        audit.note(tx, act, now=now)
        _write(revision)
        return number

    return await dashboard.write(work, connection)


async def save_draft(dashboard: Dashboard, who: Principal, connection: str, name: str) -> int:
    """Save what was looked at under this name. Raises `Problem` where the draft is another one by now."""
    standing = await look(dashboard, who, connection)
    if standing.outdated or standing.name != name or not standing.changed:
        raise _changed_meanwhile()
    changes = {tuple(item.place.split(".")): item.after for item in standing.changed}
    return await _fitting(save(dashboard, who, connection, standing.digest, changes))


def try_out(dashboard: Dashboard, connection: str, standing: Standing) -> Impact:
    """What the draft would do: what is known so far, begun where nothing is."""
    known = dashboard.impacts.of(connection, standing.name)
    return known or dashboard.impacts.try_out(connection, standing.name, standing.now, standing.wanted)


def faults_of(error: SettingsError, revision: Revision) -> list[Fault]:
    """Problems of the settings by the place below the connection, in the same words as those of the file."""
    prefix = revision.key("")
    return [Fault(problem.key.removeprefix(prefix), _sentence(problem.said)) for problem in error.problems]


def _standing(dashboard: Dashboard, connection: str, kept: Draft | None) -> Standing:
    revision = _read(dashboard, connection)
    saved = revision.snapshot()
    try:
        now = revision.settings()
        outdated = kept is not None and kept.digest != revision.digest
        if kept is not None:
            revision.apply(kept.changes)
        wanted = revision.settings() if not outdated else now
    except SettingsError as error:
        raise _out_of_order(error) from None
    changed = differences(saved, revision.snapshot())
    waiting = now != dashboard.settings.connections[connection]
    return Standing(revision.digest, saved, now, wanted, revision, changed, outdated, waiting)


def _read(dashboard: Dashboard, connection: str) -> Revision:
    try:
        return origin_of(dashboard).read(connection)
    except SettingsError as error:
        raise _out_of_order(error) from None


def _write(revision: Revision) -> None:
    try:
        revision.save()
    except OSError as error:
        detail = (
            f"{error.strerror or error}. Give Twinbook the right to write the settings file and its folder."
        )
        raise Problem(503, "The settings file cannot be written", detail) from None


async def _fitting(work: Awaitable[T]) -> T:
    """The outcome of work on settings that fitted when they were made: what does not fit is shown as a page."""
    try:
        return await work
    except SettingsError as error:
        raise _out_of_order(error) from None


def _changed_meanwhile() -> Problem:
    return Problem(
        409,
        "The settings were changed meanwhile",
        "Somebody changed the settings file, or these changes, after you looked. Nothing was saved; look again.",
    )


def _out_of_order(error: SettingsError) -> Problem:
    return Problem(409, "The settings file has faults", " ".join(map(str, error.problems)))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
