"""Versions of records: their time of modification, and whether a later change would be sure to move it.

A time of modification has whole seconds. Who reads a record in the second it was changed in may miss an edit that comes
later in that very second: it leaves the version as it was. A version that was seen so early is *open*, and marked as
such. It equals none that a list shows, so the next sweep reads the record once more, whatever became of it.
"""

from __future__ import annotations

from typing import Final

SETTLED_AFTER_S: Final = 3.0
"""Seconds after which nothing more is stamped with a moment: the clocks inside one system are a little apart."""

_OPEN: Final = "~"


def version_seen(moment: str, *, is_open: bool) -> str:
    """The version of a record that shows `moment` as its time of modification."""
    return moment + _OPEN if moment and is_open else moment


def moment_of(version: str) -> str:
    """The time of modification as the system showed it."""
    return version.removesuffix(_OPEN)
