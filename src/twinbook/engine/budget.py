"""Leaving people and other integrations their share of an org's daily API requests.

Salesforce tells with every answer how many requests were made in the last 24 hours, by whomever. When fewer are left
than the reserve, sweeps and back-fill rest; when half of the reserve is gone too, live edits are gathered into fuller
batches, which costs them some seconds and saves most of the calls. Both end by themselves when the rolling window
frees.
"""

from __future__ import annotations

from enum import IntEnum

from twinbook.domain.ports import Allowance
from twinbook.store.dirty_keys import Priority

# Seconds that a lane waits between two batches while requests are scarce.
GATHERING_SECONDS = 5.0


class Level(IntEnum):
    """`PLENTY`: nothing to spare; `RESERVED`: only people's edits and retries; `SCARCE`: these slowly."""

    PLENTY = 0
    RESERVED = 1
    SCARCE = 2

    @property
    def least_urgent(self) -> Priority:
        """The least urgent work that may go on."""
        return Priority.SWEEP if self is Level.PLENTY else Priority.RETRY


def level(usage: Allowance | None, reserve_percent: float) -> Level:
    """What an allowance leaves to do; `reserve_percent` of it is kept for others. Plenty where nothing is known."""
    if usage is None or usage.limit <= 0:
        return Level.PLENTY
    left, reserve = usage.limit - usage.used, usage.limit * reserve_percent / 100
    if left >= reserve:
        return Level.PLENTY
    return Level.RESERVED if left >= reserve / 2 else Level.SCARCE


def notice(usage: Allowance | None, reserve_percent: float) -> str | None:
    """What a person should know, in plain words; None when all is as usual."""
    found = level(usage, reserve_percent)
    if usage is None or found is Level.PLENTY:
        return None
    left = max(0, usage.limit - usage.used)
    what = (
        "sweeps and back-fill rest"
        if found is Level.RESERVED
        else "sweeps and back-fill rest, live edits are slow"
    )
    return (
        f"{left:,} of {usage.limit:,} Salesforce API requests are left in this day; {reserve_percent:g} % are kept for "
        f"people and other integrations, so {what}. It goes on by itself as the last 24 hours move on."
    )
