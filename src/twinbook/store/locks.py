"""The keys of the advisory locks that Twinbook takes on PostgreSQL: two signed 32-bit numbers each."""

from __future__ import annotations

import zlib
from typing import Final

# First half of all keys ("twin"), so that they never meet those of other programs.
LOCKS: Final = 0x7477696E


def lock_key(name: str) -> int:
    """The second half of the key of the lock with this name."""
    return zlib.crc32(name.encode()) - 2**31
