"""The same correction of one field of many records, carried out one after the other beside the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from twinbook.domain.errors import SideError
from twinbook.domain.records import Key
from twinbook.engine.care.editing import Edit, Editing
from twinbook.engine.connection import Connection
from twinbook.web.findings import Finding, Findings, Stage

# Records that one correction is about: each takes some calls.
MOST = 100
MOST_SECONDS = 900.0


class How(StrEnum):
    """What is done to the text of a field."""

    SET = "set"
    REPLACE = "replace"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class Retyping:
    """One field of the record's own system, and what is done to it: set it to `text`, replace `find` by `text`, or cut
    it off after so many characters as `text` says."""

    field: str
    how: How
    text: str = ""
    find: str = ""

    def __call__(self, shown: str) -> str:
        match self.how:
            case How.SET:
                return self.text
            case How.REPLACE:
                return shown.replace(self.find, self.text)
            case How.CUT:
                return shown[: int(self.text)].rstrip()


@dataclass(frozen=True, slots=True)
class Wanted:
    """One record, what people call it, and its edit."""

    key: Key
    name: str
    edit: Edit


@dataclass(slots=True)
class Correction(Finding):
    """How far it is. `refused` are names, each with what stood in the way; nothing was written to those."""

    total: int = 0
    written: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)


class Corrections(Findings[Correction]):
    """The latest correction of each connection."""

    def __init__(self) -> None:
        super().__init__(MOST_SECONDS)

    def progress(self, connection: str) -> tuple[int, int, Stage] | None:
        known = self.of(connection)
        return (known.written, len(known.refused), known.stage) if known else None

    def carry_out(
        self, connection: str, live: Connection, wanted: Sequence[Wanted], *, by: str
    ) -> Correction:
        """Begin it. Records come one after the other, because those of one account stand in each other's way."""

        async def carry(correction: Correction) -> Stage:
            for item in wanted:
                try:
                    flaws = await Editing(live).edit(item.key, item.edit, by=by)
                except SideError as error:
                    flaws = [error.message]
                if flaws:
                    correction.refused.append((item.name, "; ".join(flaws)))
                else:
                    correction.written += 1
            return Stage.DONE

        return self.begin(connection, Correction(total=len(wanted)), carry)
