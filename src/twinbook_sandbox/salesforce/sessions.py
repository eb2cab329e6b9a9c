"""Sessions of the org: what an access token stands for, and until when (salesforce.md 1.6)."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from twinbook_sandbox.core.clock import Clock

_MAX_SESSIONS = 1000


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A live session: whose it is. Ids have 18 characters."""

    token: str
    user_id: str
    org_id: str
    client_id: str
    started_at: datetime


class Sessions:
    """All live sessions by access token. One ends when revoked, or after a time without use."""

    def __init__(self, clock: Clock, random: Random, org_id: str, timeout_seconds: Callable[[], int]) -> None:
        self._clock = clock
        self._random = random
        self._org_id = org_id
        self._timeout_seconds = timeout_seconds
        self._live: dict[str, SessionInfo] = {}
        self._last_use: dict[str, datetime] = {}

    def open(self, user_id: str, client_id: str) -> SessionInfo:
        """Start a session. The oldest one ends when there are too many."""
        if len(self._live) >= _MAX_SESSIONS:
            self.close(next(iter(self._live)))
        secret = base64.b64encode(self._random.randbytes(72)).decode().replace("+", ".").replace("/", "_")
        token = f"{self._org_id[:15]}!AQEAQ{secret}"
        now = self._clock.now()
        self._live[token] = SessionInfo(token, user_id, self._org_id, client_id, now)
        self._last_use[token] = now
        return self._live[token]

    def of_user(self, user_id: str, client_id: str) -> SessionInfo | None:
        """The user's newest live session with an app."""
        for session in reversed(self._live.values()):
            if (session.user_id, session.client_id) == (user_id, client_id):
                return self.check(session.token)
        return None

    def check(self, token: str) -> SessionInfo | None:
        """The session behind a token, which counts as use of it; None when it has ended."""
        session = self._live.get(token)
        if session is None:
            return None
        now = self._clock.now()
        if now - self._last_use[token] > timedelta(seconds=self._timeout_seconds()):
            self.close(token)
            return None
        self._last_use[token] = now
        return session

    def close(self, token: str) -> bool:
        """End a session; False when there was none."""
        self._last_use.pop(token, None)
        return self._live.pop(token, None) is not None

    def close_all(self) -> int:
        """End all sessions; returns how many there were."""
        ended = len(self._live)
        self._live.clear()
        self._last_use.clear()
        return ended
