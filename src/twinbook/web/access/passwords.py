"""Passwords: argon2id hashes, made off the event loop and few at a time: each takes its while and its memory."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

SHORTEST = 12
LONGEST = 256
AT_ONCE = 2


def problem_with(password: str, *, login: str) -> str | None:
    """Why a password is not good enough, with the remedy; None if it is."""
    if len(password) < SHORTEST:
        return f"It is too short: take at least {SHORTEST} characters, such as four words chosen by chance."
    if len(password) > LONGEST:
        return f"It is too long: take at most {LONGEST} characters."
    if len(set(password)) < 5 or login.casefold() in password.casefold():
        return "It is too easy to guess: take one without your login and with more different characters."
    return None


class Passwords:
    """Hashes and verifies. A login that does not exist takes as long as one that does."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def fits(self, password: str, hashed: str | None) -> bool:
        """Whether the password is the hashed one. None is the hash of nobody: never, but in the same time."""
        async with self._turns:
            return await asyncio.to_thread(self._fits, password, hashed)

    def _fits(self, password: str, hashed: str | None) -> bool:
        if hashed is None:
            self._nobody = self._nobody or self._hasher.hash("nobody has this password")
            self._matches(self._nobody, password)
            return False
        return self._matches(hashed, password)

    def _matches(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False
