"""What a check is: one thing examined, with its verdict and, where it is not well, what to do about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from twinbook.domain.errors import PermanentError, SideError

T = TypeVar("T")


class Verdict(StrEnum):
    """`advice`: it works, but there is something a person should know."""

    OK = "ok"
    ADVICE = "advice"
    BROKEN = "broken"


class Page(StrEnum):
    """What a check belongs to: the parts of an installation, in the order in which they are set up."""

    MACHINE = "machine"
    SALESFORCE_LOGIN = "salesforce-login"
    SALESFORCE_PACKAGE = "salesforce-package"
    SALESFORCE_EVENTS = "salesforce-events"
    NETSUITE_LOGIN = "netsuite-login"
    NETSUITE_PACKAGE = "netsuite-package"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing examined. `code` names it for programs and never changes; `remedy` says what to do, and where to
    click, when it is not `ok`."""

    page: Page
    code: str
    name: str
    verdict: Verdict
    detail: str = ""
    remedy: str = ""


def worst(checks: list[Check]) -> Verdict:
    """The verdict over several checks; `ok` when there are none."""
    found = {check.verdict for check in checks}
    return next((verdict for verdict in (Verdict.BROKEN, Verdict.ADVICE) if verdict in found), Verdict.OK)


async def asked(page: Page, code: str, name: str, ask: Callable[[], Awaitable[T]]) -> tuple[T | None, Check]:
    """What a system answers, and the check that it did."""
    try:
        return await ask(), Check(page, code, name, Verdict.OK)
    except SideError as error:
        return None, broken(page, code, name, error)


def broken(page: Page, code: str, name: str, error: SideError) -> Check:
    """A check that failed with an error of the system."""
    remedy = error.remedy if isinstance(error, PermanentError) else "It may pass: try again."
    return Check(page, code, name, Verdict.BROKEN, f"{error.code}: {error.message}", remedy)
