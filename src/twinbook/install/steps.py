"""What a step of an installation is, and the guide that they make up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from twinbook.doctor import Check, Page, Verdict, worst
from twinbook.settings import Problem


class System(StrEnum):
    SALESFORCE = "salesforce"
    NETSUITE = "netsuite"

    @property
    def label(self) -> str:
        return {System.SALESFORCE: "Salesforce", System.NETSUITE: "NetSuite"}[self]


class State(StrEnum):
    """`broken`: it was done, and examined, and something is still missing."""

    DONE = "done"
    TO_DO = "to-do"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `detail` says what there is; `instructions` what to do, one act a line, while it is not done."""

    code: str
    title: str
    state: State
    detail: str = ""
    instructions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Guide:
    """All steps of one system, in the order in which they are best done."""

    system: System
    connection: str
    steps: tuple[Step, ...]

    @property
    def next(self) -> Step | None:
        return next((step for step in self.steps if step.state is not State.DONE), None)


def entered(code: str, title: str, value: object, instructions: Sequence[str]) -> Step:
    """A step that ends with a value in the settings."""
    if value:
        return Step(code, title, State.DONE, str(value))
    return Step(code, title, State.TO_DO, "", tuple(instructions))


def examined(
    code: str, title: str, checks: Iterable[Check], pages: Sequence[Page], instructions: Sequence[str]
) -> Step:
    """A step whose result was examined; not done as long as nothing could be."""
    found = [check for check in checks if check.page in pages]
    if not found:
        return Step(code, title, State.TO_DO, "", tuple(instructions))
    unwell = [check for check in found if check.verdict is not Verdict.OK]
    remedies = tuple(f"{check.name}: {check.detail}. {check.remedy}" for check in unwell)
    if worst(found) is Verdict.BROKEN:
        return Step(code, title, State.BROKEN, "something is missing", (*remedies, *instructions))
    return Step(code, title, State.DONE, f"{len(found)} checks, {len(unwell)} with advice", remedies)


def unusable(problems: Sequence[Problem]) -> tuple[Step, ...]:
    """The step that is there only where everything is entered and the settings are refused all the same."""
    if not problems:
        return ()
    told = tuple(map(str, problems))
    return (Step("settings", "Settings file", State.BROKEN, "it cannot be used", told),)
