"""When a failed try is made again."""

from __future__ import annotations

import random

from twinbook.domain.errors import SideError, TemporaryError


def delay(error: SideError, *, attempts: int, base: float, cap: float, random: random.Random) -> float:
    """Seconds to wait after the given number of failed tries (0: the first just failed).

    Exponential with full jitter, so that many records that failed together do not come back together; never
    earlier than the system asked for.
    """
    ceiling = min(cap, base * 2 ** min(attempts, 30))
    wait = random.uniform(base / 2, max(base, ceiling))
    asked = error.retry_after if isinstance(error, TemporaryError) else None
    return max(wait, asked or 0.0)
