"""The two kinds of failure that the engine knows.

    SideError
    ├── TemporaryError    will pass: retried with backoff for as long as it takes
    └── PermanentError    will not pass by itself: shown to a person, with what to do

A failed *call* raises one of them. A failed *record* inside a call that worked carries one as a value
(`twinbook.domain.ports.Failed`). Each side maps its vendor's errors to these at one place.
"""

from __future__ import annotations


class SideError(Exception):
    """Something one of the two systems answered, or failed to answer."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class TemporaryError(SideError):
    """A refusal that ends by itself: 429, 5xx, a timeout, a lost answer, a row lock.

    `retry_after` is in seconds and present when the system named a time. `outcome_unknown` is true when the
    request may have been carried out although no answer came.
    """

    def __init__(
        self, code: str, message: str, *, retry_after: float | None = None, outcome_unknown: bool = False
    ) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after
        self.outcome_unknown = outcome_unknown


class PermanentError(SideError):
    """A refusal that lasts until a person or another record changes something.

    `field` is the vendor's field name where known; `remedy` says in plain words what to do.
    """

    def __init__(self, code: str, message: str, *, field: str | None = None, remedy: str = "") -> None:
        super().__init__(code, message)
        self.field = field
        self.remedy = remedy
