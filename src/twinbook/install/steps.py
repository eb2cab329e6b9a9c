"""What a step of an installation is, and the guide that they make up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
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
class Ask:
    """The value that a step ends with: a key of the system's table in the settings, and what it looks like."""

    key: str
    label: str
    example: str


@dataclass(frozen=True, slots=True)
class Told:
    """What to do: acts of a person, one a line; then commands of a shell; and values to copy, each with its name."""

    acts: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `detail` says what there is; `instructions`, `commands` and `values` are those of `Told`, while
    it is not done; `asks` is what to enter."""

    code: str
    title: str
    state: State
    detail: str = ""
    instructions: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    asks: Ask | None = None


@dataclass(frozen=True, slots=True)
class Guide:
    """All steps of one system, in the order in which they are best done."""

    system: System
    connection: str
    steps: tuple[Step, ...]

    @property
    def next(self) -> Step | None:
        return next((step for step in self.steps if step.state is not State.DONE), None)


def entered(code: str, title: str, value: object, told: Told, asks: Ask) -> Step:
    """A step that ends with a value in the settings."""
    if value:
        return Step(code, title, State.DONE, str(value), asks=asks)
    return _to_do(Step(code, title, State.TO_DO, asks=asks), told)


def examined(
    code: str, title: str, checks: Iterable[Check], page: Page, told: Told, *, asks: Ask | None = None
) -> Step:
    """A step whose result was examined; not done as long as nothing could be."""
    found = [check for check in checks if check.page is page]
    if not found:
        return _to_do(Step(code, title, State.TO_DO, "not checked yet", asks=asks), told)
    unwell = [check for check in found if check.verdict is not Verdict.OK]
    remedies = tuple(f"{check.name}: {check.detail}. {check.remedy}" for check in unwell)
    if worst(found) is Verdict.BROKEN:
        return _to_do(Step(code, title, State.BROKEN, "something is missing", remedies, asks=asks), told)
    detail = f"{len(found)} checks, {len(unwell)} with advice"
    return Step(code, title, State.DONE, detail, remedies, asks=asks)


def _to_do(step: Step, told: Told) -> Step:
    instructions = (*step.instructions, *told.acts)
    return replace(step, instructions=instructions, commands=told.commands, values=told.values)


def unusable(problems: Sequence[Problem]) -> tuple[Step, ...]:
    """The step that is there only where everything is entered and the settings are refused all the same."""
    if not problems:
        return ()
    told = tuple(map(str, problems))
    return (Step("settings", "Settings file", State.BROKEN, "it cannot be used", told),)
