"""Keys that only lead elsewhere: an opportunity makes its account dirty, a role its contact."""

from __future__ import annotations

from collections.abc import Sequence

from twinbook.engine.connection import Connection
from twinbook.engine.lease import Lease
from twinbook.engine.report import Report, Settled
from twinbook.store.dirty_keys import Claimed


class LeadWork:
    """Follows opportunities and roles to the records that they concern."""

    def __init__(self, connection: Connection, _lease: Lease) -> None:
        self._salesforce = connection.salesforce

    async def process(self, batch: Sequence[Claimed], report: Report) -> None:
        led = await self._salesforce.lead([item.key for item in batch])
        for item in batch:
            targets = led.get(item.key, ())
            if targets:
                report.marks.append((targets, f"{item.key.entity.value.replace('_', ' ')} changed"))
            report.settled.append(Settled(item))
