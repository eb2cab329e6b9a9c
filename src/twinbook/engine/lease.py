"""A lane's hold on its batch. The holder keeps its own deadline on the monotonic clock and writes nothing after it.

This is what makes a frozen or cut-off process harmless: whoever comes back late finds its deadline passed before it
finds its next write (engine.md).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from twinbook.engine.clock import Clock
from twinbook.store import dirty_keys
from twinbook.store.database import Store, StoreUnavailableError, Tx

# The part of a lease during which no new write is started, so that a write in flight ends before the lease does.
MARGIN = 0.25


class LeaseLostError(Exception):
    """The lease may have ended: nothing more may be written for this batch."""


class Lease:
    """The right to write for the keys claimed under `token`, until a deadline that renewal moves on."""

    def __init__(self, clock: Clock, token: str, seconds: float, started: float) -> None:
        """`started` is the monotonic time taken *before* the claim was made."""
        self._clock = clock
        self._seconds = seconds
        self._deadline = started + seconds * (1 - MARGIN)
        self.token = token

    def check(self) -> None:
        """Raises `LeaseLostError` when the deadline has passed; called before every write."""
        if self._clock.monotonic() >= self._deadline:
            raise LeaseLostError(self.token)

    def check_in(self, tx: Tx) -> None:
        """The same for what is remembered of a batch, exactly: whoever lost its keys would overwrite what the next one
        has learned. Raises `LeaseLostError`."""
        if not dirty_keys.is_held(tx, token=self.token):
            raise LeaseLostError(self.token)

    def revoke(self) -> None:
        """Begin nothing more for this batch."""
        self._deadline = -math.inf

    @asynccontextmanager
    async def renewed(self, store: Store) -> AsyncIterator[None]:
        """Keep the lease alive in the store for as long as the block runs."""
        task = asyncio.create_task(self._keep(store))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _keep(self, store: Store) -> None:
        while True:
            await self._clock.sleep(self._seconds / 3)
            started = self._clock.monotonic()
            try:
                held = await store.run(self._renew)
            except StoreUnavailableError:
                continue
            if not held:
                self.revoke()
                return
            if self._deadline > -math.inf:
                self._deadline = started + self._seconds * (1 - MARGIN)

    def _renew(self, tx: Tx) -> int:
        return dirty_keys.renew(tx, token=self.token, lease_until=self._clock.now() + self._seconds)
