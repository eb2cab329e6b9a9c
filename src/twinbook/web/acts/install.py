"""Setting up a connection: entering its values, making its keys, checking what is there.

Everything is kept in the settings file and beside it, as `twinbook install` does: no secret is typed into a page. The
keys are made here and readable by the owner of the process only; what leaves this machine is the certificate.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from twinbook import certificates
from twinbook.install import Draft, Guide, System, guide_of
from twinbook.install.keys import ensure_key, key_file, key_step
from twinbook.settings import SettingsError
from twinbook.store import audit, revisions
from twinbook.store.audit import Act
from twinbook.store.database import Tx
from twinbook.web.access.principal import Principal
from twinbook.web.acts.settings import origin_of
from twinbook.web.dashboard import Dashboard
from twinbook.web.examinations import Examination
from twinbook.web.problems import Fault, NotFound, Problem


@dataclass(frozen=True, slots=True)
class Standing:
    """How far one system is. `given` names the environment variable of each key that one gives; `complete`: all is
    entered that a login takes. `examination` is None where nothing was checked yet."""

    guide: Guide
    values: Mapping[str, str]
    given: Mapping[str, str]
    complete: bool
    pings: bool
    examination: Examination | None

    @property
    def done(self) -> int:
        return sum(step.state == "done" for step in self.guide.steps)


def look(dashboard: Dashboard, connection: str, system: System) -> Standing:
    """Read off the settings file, the keys beside it and the latest checks. Raises `Problem`."""
    draft = draft_of(dashboard, connection)
    examination = dashboard.examinations.of(connection, system)
    checks = examination.checks if examination else []
    guide = guide_of(draft, system, key_step(draft, system), checks)
    keys = [step.asks.key for step in guide.steps if step.asks]
    given = {key: draft.variable(system, key) for key in keys if draft.is_in_environment(system, key)}
    values = {key: str(draft.get(system, key) or "") for key in keys}
    complete = draft.settings(system) is not None
    return Standing(guide, values, given, complete, draft.pings, examination)


async def enter(
    dashboard: Dashboard, who: Principal, connection: str, system: System, values: Mapping[str, str]
) -> None:
    """Write values into the settings file. Raises `Problem` with a fault for each that does not fit."""
    wanted = {key: value.strip() for key, value in values.items()}
    standing = look(dashboard, connection, system)
    faults = [Fault(key, _refusal(key, value, standing)) for key, value in wanted.items()]
    _refuse([fault for fault in faults if fault.message])

    def change(draft: Draft) -> None:
        try:
            draft.enter(system, wanted)
        except SettingsError as error:
            prefix = f"connections.{connection}.{system}."
            _refuse([Fault(item.key.removeprefix(prefix), item.said) for item in error.problems])

    act = Act(who.login, "install.entered", system, connection, {"keys": sorted(wanted)})
    await _change(dashboard, connection, change, act)
    dashboard.examinations.forget(connection, system)


async def make_key(dashboard: Dashboard, who: Principal, connection: str, system: System) -> None:
    """Make key and certificate unless they are there. Raises `Problem` for a key that is none."""
    now = datetime.fromtimestamp(dashboard.now(), UTC)

    def make(draft: Draft) -> None:
        try:
            ensure_key(draft, system, now=now, replace=False)
        except ValueError as error:
            raise Problem(
                409, "The key is none", f"{error}. Move the file away; then make one here."
            ) from None

    # Making one takes a second of computing, and the store must not wait for that.
    await asyncio.to_thread(_writing, lambda: make(draft_of(dashboard, connection)))
    await _change(dashboard, connection, make, Act(who.login, "install.key_made", system, connection))


async def let_netsuite_tell(dashboard: Dashboard, who: Principal, connection: str) -> str:
    """Let scripts in NetSuite tell of changes; the secret that they sign with, which is shown only now. Raises
    `Problem` where there is one already."""
    secret = secrets.token_urlsafe(32)

    def change(draft: Draft) -> None:
        if draft.pings:
            raise Problem(
                409, "There is a secret already", "Take ping.secret out of the settings file for a new one."
            )
        draft.enter_ping_secret(secret)

    await _change(
        dashboard, connection, change, Act(who.login, "install.ping_on", System.NETSUITE, connection)
    )
    return secret


async def start(dashboard: Dashboard, who: Principal, connection: str) -> None:
    """Begin to sync: whoever runs the connection takes the settings up. Raises `Problem` while something is missing."""
    now = dashboard.now()
    try:
        origin_of(dashboard).load()
    except SettingsError as error:
        raise Problem(409, "It cannot be started yet", " ".join(map(str, error.problems))) from None

    def work(tx: Tx) -> None:
        audit.note(tx, Act(who.login, "install.started", connection=connection), now=now)
        _new_version(dashboard, tx, who.login, connection, now)

    await dashboard.write(work, connection)


def check(dashboard: Dashboard, connection: str, system: System) -> Examination:
    """Have the doctor check this system now. Raises `Problem` while values are missing."""
    settings = draft_of(dashboard, connection).settings(system)
    if settings is None:
        raise Problem(
            409,
            "There is nothing to check yet",
            f"Values of the login to {system.label} are missing: enter them in the steps first.",
        )
    return dashboard.examinations.begin(connection, system, settings)


def certificate(dashboard: Dashboard, connection: str, system: System) -> tuple[str, bytes]:
    """Name and text of the certificate to upload, and of nothing else. Raises `Problem`."""
    path = certificates.beside(key_file(draft_of(dashboard, connection), system))
    try:
        return path.name, certificates.text(path)
    except (OSError, ValueError):
        raise NotFound("certificate") from None


def draft_of(dashboard: Dashboard, connection: str) -> Draft:
    """The connection in the settings file as it is now. Raises `Problem`."""
    origin = origin_of(dashboard)
    try:
        return Draft.open(origin.path, connection, origin.environ)
    except SettingsError as error:
        raise Problem(409, "The settings file has faults", " ".join(map(str, error.problems))) from None


async def _change(dashboard: Dashboard, connection: str, change: Callable[[Draft], None], act: Act) -> None:
    """Change the file as it is by now, with the audit and a new version in one transaction."""
    now = dashboard.now()

    def work(tx: Tx) -> None:
        draft = draft_of(dashboard, connection)
        before = draft.file.text
        change(draft)
        audit.note(tx, act, now=now)
        if draft.file.text != before:
            _writing(draft.file.save)
            if dashboard.in_force.finished.is_set():
                _new_version(dashboard, tx, act.who, connection, now)

    await dashboard.write(work, connection)


def _new_version(dashboard: Dashboard, tx: Tx, who: str, connection: str, now: float) -> None:
    """What every process over the store takes up."""
    revisions.add(tx, who, origin_of(dashboard).read(connection).snapshot(), now=now)


def _writing(write: Callable[[], None]) -> None:
    try:
        write()
    except OSError as error:
        detail = (
            f"{error.strerror or error}. Give Twinbook the right to write the settings file and its folder."
        )
        raise Problem(503, "The settings cannot be written", detail) from None


def _refusal(key: str, value: str, standing: Standing) -> str:
    if key in standing.given:
        return f"The environment variable {standing.given[key]} gives it; change it there."
    if key not in standing.values:
        return f"It is nothing to enter here; known: {', '.join(standing.values)}."
    return "" if value else "Enter a value."


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise Problem(422, "The values do not fit", "Correct what is named.", faults=faults)
