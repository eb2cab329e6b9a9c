"""The time of the sandbox: wall time that a test can move, freeze and set."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def _wall_time() -> datetime:
    return datetime.now(UTC)


class Clock:
    """Wall time in UTC plus whatever was advanced; or a fixed instant while it is frozen."""

    def __init__(self, wall_time: Callable[[], datetime] = _wall_time) -> None:
        self._wall_time = wall_time
        self._advanced = timedelta(0)
        self._frozen_at: datetime | None = None

    @property
    def frozen(self) -> bool:
        """Whether time stands still until it is advanced or set."""
        return self._frozen_at is not None

    def now(self) -> datetime:
        """The sandbox's time, aware, in UTC."""
        return self._frozen_at if self._frozen_at is not None else self._wall_time() + self._advanced

    def advance(self, seconds: float) -> None:
        """Move time forward (or, with a negative number, back), frozen or running."""
        step = timedelta(seconds=seconds)
        self._advanced += step
        if self._frozen_at is not None:
            self._frozen_at += step

    def set(self, at: datetime | None) -> None:
        """Freeze time at an aware instant; ``None`` lets it run again, with what was advanced so far."""
        if at is not None and at.tzinfo is None:
            raise ValueError("the time needs a zone, such as 2026-10-01T09:15:00Z")
        self._frozen_at = at.astimezone(UTC) if at is not None else None

    def reset(self) -> None:
        """Back to wall time: forget what was advanced or frozen."""
        self._advanced = timedelta(0)
        self._frozen_at = None
