"""Exit codes, and how a user's mistake or a system's refusal ends a command: one clear message, no traceback."""

from __future__ import annotations

from enum import IntEnum

import click

from twinbook.cli.terminal import visible
from twinbook.domain.errors import PermanentError, SideError
from twinbook.logs import places
from twinbook.settings.problems import SettingsError
from twinbook.store.database import StoreBusyError, StoreTooNewError, StoreUnavailableError
from twinbook.web.errors import CannotServeError


class Exit(IntEnum):
    """What the exit code says. Documented in docs/cli.md."""

    OK = 0
    FOUND = 1  # the command worked and found something that a person has to look at
    USAGE = 2  # wrong words on the command line, or wrong settings
    SYSTEM = 3  # Salesforce, NetSuite or the database refused or could not be reached
    BUSY = 4  # another Twinbook process owns the store
    FAULT = 5  # a defect of Twinbook itself


class Problem(click.ClickException):
    """A message for the user and the exit code that goes with it."""

    def __init__(self, message: str, code: Exit) -> None:
        super().__init__(message)
        self.exit_code = int(code)  # type: ignore[misc]  # click reads it from the instance

    def format_message(self) -> str:
        return visible(self.message)


def explained(error: Exception) -> Problem | None:
    """The message for what a user, or one of the systems, can cause; None for a fault of Twinbook's own."""
    if isinstance(error, ExceptionGroup):
        return explained(error.exceptions[0])
    if isinstance(error, Problem):
        return error
    if isinstance(error, SettingsError):
        return Problem(str(error), Exit.USAGE)
    if isinstance(error, CannotServeError):
        return Problem(str(error), Exit.USAGE)
    if isinstance(error, StoreBusyError):
        return Problem(f"{error}. Stop it first, or use a command that works beside it.", Exit.BUSY)
    if isinstance(error, StoreTooNewError):
        remedy = "Use that version, or restore the copy that was made before the upgrade"
        return Problem(f"{error}. {remedy}.", Exit.SYSTEM)
    if isinstance(error, StoreUnavailableError):
        return Problem(f"{error}. Check that it runs, and store.url.", Exit.SYSTEM)
    if isinstance(error, PermanentError):
        return Problem(f"{error} {error.remedy}".strip(), Exit.SYSTEM)
    if isinstance(error, SideError):
        return Problem(f"{error} It may pass: try again.", Exit.SYSTEM)
    return None


def fault(error: BaseException) -> Problem:
    """The message for a fault of Twinbook's own: its kind and place, without its words, which may quote a record."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    where = "\n".join(f"  {place}" for place in places(error.__traceback__))
    return Problem(
        f"Twinbook itself failed: {type(error).__name__}, at\n{where}\n"
        "What the fault says is left out, as it may quote a record. Please report these lines.",
        Exit.FAULT,
    )
