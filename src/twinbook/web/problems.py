"""How a request is refused: as problem+json (RFC 9457) under /api/, as a page elsewhere, in the same words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from twinbook.web.access.roles import Role


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field of a request."""

    field: str
    message: str


class Problem(Exception):
    """A request that cannot be answered as asked. `detail` says what to do; it never quotes a secret."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        *,
        faults: Sequence[Fault] = (),
        retry_after: float = 0,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.faults = tuple(faults)
        self.retry_after = retry_after

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"type": "about:blank", "title": self.title, "status": self.status}
        if self.detail:
            found["detail"] = self.detail
        if self.faults:
            found["errors"] = [asdict(fault) for fault in self.faults]
        return found


class NotSignedIn(Problem):
    """Nobody is signed in, or no longer."""

    def __init__(self) -> None:
        super().__init__(401, "Please sign in", "Nobody is signed in, or the session has ended.")


class NotAllowed(Problem):
    """Somebody is signed in whose role does not reach."""

    def __init__(self, needed: Role) -> None:
        super().__init__(
            403, "Your role does not allow this", f"It takes the role {needed}. Ask an administrator."
        )


class OutOfScope(Problem):
    """A token is used for what it was not made for."""

    def __init__(self, scope: str) -> None:
        super().__init__(403, "The token does not reach so far", f"It takes the scope {scope}.")


class NotFound(Problem):
    """There is no such thing here."""

    def __init__(self, what: str = "page") -> None:
        super().__init__(
            404, f"There is no such {what}", "It may have been removed, or the address is mistyped."
        )
