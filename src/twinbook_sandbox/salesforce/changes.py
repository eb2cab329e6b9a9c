"""What the org committed, in commit order: the source of its change events (salesforce.md 3.5).

A unit of work collects its `Change`s and appends them to the `ChangeLog` at commit. Turning them into
Avro events, keeping and delivering them is the business of the Pub/Sub side, which listens here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

CREATE = "CREATE"
UPDATE = "UPDATE"
DELETE = "DELETE"
UNDELETE = "UNDELETE"


@dataclass(frozen=True, slots=True)
class Change:
    """One committed change, before it becomes an event.

    `fields` holds the values as the REST API shows them: checkboxes as bool, dates `YYYY-MM-DD`, datetimes
    `YYYY-MM-DDThh:mm:ss.000+0000`, ids with 18 characters. Compound fields do not appear; their parts do, under
    their own names (`MailingStreet`, `LastName`). CREATE and UNDELETE: every field, empty ones None. UPDATE: the
    changed ones with their new values, None where nulled, always LastModifiedDate, and LastModifiedById when
    another user than before wrote. DELETE: empty.

    Records of one entity that got the same change in one transaction share one Change (salesforce.md 3.5).
    """

    entity: str
    change_type: str
    record_ids: tuple[str, ...]
    fields: dict[str, Any]
    user_id: str
    origin: str
    transaction_key: str
    sequence_number: int
    commit_number: int
    committed_at: datetime


Listener = Callable[[Sequence[Change]], None]


class ChangeLog:
    """Hands each commit's changes to its listeners, synchronously and in commit order. Keeps nothing."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def append(self, changes: Sequence[Change]) -> None:
        """Publish what one transaction committed; called once the storage has committed it."""
        if not changes:
            return
        for listener in self._listeners:
            listener(changes)

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` with the changes of every later commit."""
        self._listeners.append(listener)
