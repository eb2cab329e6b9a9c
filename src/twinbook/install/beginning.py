"""An installation that begins: nothing is wrong with its settings but that the logins are not entered yet."""

from __future__ import annotations

from twinbook.install.draft import Draft
from twinbook.install.steps import System
from twinbook.settings import Settings, SettingsError
from twinbook.settings.problems import Problem
from twinbook.settings.revising import Origin

# What the loading says of a login that is not entered, or not all of it.
_NOT_ENTERED = ("is missing", "is empty", "there is no private key")


def unfinished(origin: Origin, connection: str | None) -> Settings | None:
    """Settings with stand-ins for the logins that are missing; None where something else is wrong."""
    try:
        draft = Draft.open(origin.path, connection, origin.environ)
        if not all(_not_entered(problem, draft.connection) for problem in draft.missing()):
            return None
        return draft.with_stand_ins()
    except (SettingsError, ValueError):
        return None


def _not_entered(problem: Problem, connection: str) -> bool:
    whole = f"connections.{connection}"
    logins = tuple(f"{whole}.{system}" for system in System)
    about_logins = problem.key in ("connections", whole) or problem.key.startswith(logins)
    return about_logins and problem.problem.startswith(_NOT_ENTERED)
