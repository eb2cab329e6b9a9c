"""When records were saved, to the fraction of a second, for measurements: records themselves know whole seconds."""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from twinbook_sandbox.core.control import Action
from twinbook_sandbox.netsuite.records import Change, Records

KEPT = 10_000
"""How many of the latest saves are kept."""


class Saves:
    """The latest saves and deletes of an account, whoever made them."""

    def __init__(self, records: Records, wall_time: Callable[[], float] = time.time) -> None:
        self._wall_time = wall_time
        self._kept: deque[dict[str, Any]] = deque(maxlen=KEPT)
        records.watch(self._note)

    def table(self) -> dict[str, Action]:
        """The actions by name."""
        return {"saves": self.saves}

    def saves(self, arguments: dict[str, Any]) -> list[dict[str, Any]]:
        """The latest 10,000 saves after {"since": 0} of the machine's clock: [{"record", "id", "type", "at"}]."""
        since = float(arguments.get("since", 0))
        return [save for save in self._kept if save["at"] > since]

    def _note(self, change: Change) -> None:
        named = {"record": change.kind.name, "id": str(change.id), "type": change.type}
        self._kept.append({**named, "at": self._wall_time()})
