"""Calls that are counted and can be made to fail, for an org in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from twinbook.domain.errors import PermanentError, SideError, TemporaryError

BATCH_LIMIT = 200


@dataclass(slots=True)
class Fault:
    """What the next `times` calls of a kind meet. `after_commit`: the write is done, its answer is lost."""

    error: SideError
    times: int
    after_commit: bool = False


@dataclass(slots=True, kw_only=True)
class Unreliable:
    """`calls` counts by method name; `before_call` is awaited with that name, to hold a call or to crash in it."""

    before_call: Callable[[str], Awaitable[None]] | None = None
    calls: Counter[str] = field(default_factory=Counter)
    _faults: dict[str, list[Fault]] = field(default_factory=dict)
    _refusals: dict[str, PermanentError] = field(default_factory=dict)

    def fail(self, kind: str, error: SideError, *, times: int = 1, after_commit: bool = False) -> None:
        """Let the next `times` calls of `kind` (a method name, or `*` for any) meet `error`."""
        self._faults.setdefault(kind, []).append(Fault(error, times, after_commit))

    def lose_answer(self, kind: str, *, times: int = 1) -> None:
        """Carry out the next writes of a kind, but never answer them."""
        lost = TemporaryError("CONNECTION_LOST", "no answer came", outcome_unknown=True)
        self.fail(kind, lost, times=times, after_commit=True)

    def refuse(self, record: str, error: PermanentError | None) -> None:
        """Refuse each write of a record (by Salesforce id; upserts by NetSuite id) until None is given."""
        if error is None:
            self._refusals.pop(record, None)
        else:
            self._refusals[record] = error

    async def _enter(self, kind: str, size: int = 0) -> None:
        if size > BATCH_LIMIT:
            raise ValueError(f"{kind}: {size} records in one call, at most {BATCH_LIMIT} are allowed")
        self.calls[kind] += 1
        if self.before_call is not None:
            await self.before_call(kind)
        self._meet_fault(kind, after_commit=False)

    def _leave(self, kind: str) -> None:
        self._meet_fault(kind, after_commit=True)

    def _meet_fault(self, kind: str, *, after_commit: bool) -> None:
        for name in (kind, "*"):
            for fault in self._faults.get(name, []):
                if fault.times > 0 and fault.after_commit is after_commit:
                    fault.times -= 1
                    raise fault.error

    def _check_refusal(self, record: str) -> None:
        if record in self._refusals:
            raise self._refusals[record]
