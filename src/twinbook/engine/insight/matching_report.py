"""What a first sync would pair: every contact that would be linked, created, or needs a person to choose."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum

from twinbook.domain.plan import Action
from twinbook.domain.reasons import Reason
from twinbook.engine.connection import Connection
from twinbook.engine.insight.preview import Foreseen, Preview


class MatchKind(StrEnum):
    """What would become of a contact that is not linked yet. The last one was decided by a person."""

    LINK = "link"
    CREATE = "create"
    AMBIGUOUS = "ambiguous"
    TAKEN = "taken"
    OTHER_COMPANY = "other company"
    LEFT_OUT = "left out"


_BY_ACTION = {Action.ADOPT: MatchKind.LINK, Action.CREATE: MatchKind.CREATE}
_BY_REASON = {
    Reason.AMBIGUOUS_MATCH: MatchKind.AMBIGUOUS,
    Reason.MATCH_TAKEN: MatchKind.TAKEN,
    Reason.OTHER_COMPANY: MatchKind.OTHER_COMPANY,
    Reason.LEFT_OUT: MatchKind.LEFT_OUT,
}

NEEDS_A_PERSON = frozenset({MatchKind.AMBIGUOUS, MatchKind.TAKEN, MatchKind.OTHER_COMPANY})


@dataclass(frozen=True, slots=True)
class MatchCandidate:
    """A NetSuite contact that could be the counterpart, and the Salesforce contact it belongs to already."""

    id: str
    name: str
    email: str | None
    company_id: str | None
    inactive: bool
    linked_to: str | None


@dataclass(frozen=True, slots=True)
class Match:
    """One row of the report. `netsuite_id` is the contact it would be linked with; `decision` what was chosen."""

    kind: MatchKind
    salesforce_id: str
    name: str
    email: str | None
    account: str | None
    netsuite_id: str | None
    candidates: tuple[MatchCandidate, ...]
    decision: str | None


async def matches(connection: Connection) -> AsyncIterator[Match]:
    """All rows, page by page. Contacts that are linked, waiting or kept out by a rule are left out."""
    async for item in Preview(connection).contacts():
        if (row := match_of(item)) is not None:
            yield row


def match_of(item: Foreseen) -> Match | None:
    """What would become of a contact of Salesforce, None where there is nothing to match."""
    kind = _BY_ACTION.get(item.plan.action) or (
        _BY_REASON.get(item.plan.reason) if item.plan.reason else None
    )
    return None if kind is None else _match(kind, item)


def _match(kind: MatchKind, item: Foreseen) -> Match:
    candidates = (
        MatchCandidate(
            candidate.record.id,
            candidate.record.name,
            candidate.record.email,
            candidate.record.company_id,
            candidate.record.inactive,
            candidate.linked_to,
        )
        for candidate in item.candidates
    )
    linked = item.plan.counterpart_id if kind is MatchKind.LINK else None
    return Match(
        kind,
        item.key.id,
        item.name,
        item.email,
        item.account,
        linked,
        tuple(sorted(candidates, key=lambda candidate: candidate.id)),
        item.decided,
    )
