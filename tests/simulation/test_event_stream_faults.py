"""Whatever befalls the event stream, no change is missed: it is told, or a list is asked for after it (behaviour.md
9.4). A lost event is not among the faults: no client can know of it, the sweep finds it.
"""

from __future__ import annotations

import asyncio
import random

import pytest
from tests.contract.served_events import Org, Tokens

from twinbook.domain.errors import TemporaryError
from twinbook.domain.ids import to_18
from twinbook.domain.ports import PositionLost
from twinbook.domain.records import Entity
from twinbook.salesforce.events import SalesforceEvents
from twinbook.salesforce.pubsub import EventOptions

STEPS = 150
QUIET_SECONDS = 20.0
PAUSE_SECONDS = 0.03
"""Between two subscriptions: enough for changes that nobody listens to."""


class Follower:
    """Does with batches what the engine does: remembers keys and position, and lists when it must."""

    def __init__(self, events: SalesforceEvents, committed: list[str]) -> None:
        self.known: set[str] = set()
        self.told = asyncio.Event()
        self._events = events
        self._committed = committed
        self._position: bytes | None = None

    async def run(self) -> None:
        lost = False
        while True:
            try:
                async for batch in self._events.subscribe(Entity.CONTACT, self._position):
                    self.known.update(key.id for key in batch.keys)
                    self._position = batch.position
                    if lost or batch.relist:
                        # A position was lost: the list is read once the new subscription stands.
                        self.known.update(self._committed)
                        lost = False
                    self.told.set()
            except PositionLost:
                self._position, lost = None, True
            except TemporaryError:
                await asyncio.sleep(PAUSE_SECONDS)


def misfortune(org: Org, dice: random.Random) -> None:
    """One thing that happens to the org or to its streams."""
    action = dice.choices(
        [
            "cut_streams",
            "duplicate_next",
            "change_schema",
            "hang_streams",
            "expire_retention",
            "overflow_event",
        ],
        weights=[8, 4, 3, 2, 1, 1],
    )[0]
    for_contacts = action in ("change_schema", "overflow_event")
    org.act(action, **({"entity": "Contact"} if for_contacts else {}))


@pytest.mark.parametrize("seed", range(8))
async def test_no_change_is_missed(seed: int) -> None:
    dice = random.Random(seed)
    org = Org()
    org.bus.switches.keepalive_seconds = 0.05
    # Half of the runs never know a replay id before the first event.
    org.bus.switches.first_keepalive_seconds = dice.choice([0.0, 10.0])
    await org.start()
    options = EventOptions(f"localhost:{org.port}", tls=False, watchdog=0.2, settle=1.0)
    events = SalesforceEvents(Tokens(), options, org.now)
    committed: list[str] = []
    follower = Follower(events, committed)
    following = asyncio.create_task(follower.run())
    try:
        await follower.told.wait()
        org.act("cut_streams")  # Before the first event: no replay id is known yet.
        for step in range(STEPS):
            if dice.random() < 0.15:
                misfortune(org, dice)
            ids = [to_18(f"003{seed:05}{step:05}{number:02}") for number in range(dice.randint(1, 3))]
            committed.extend(ids)
            org.commit(*ids, change_type=dice.choice(["DELETE", "UPDATE"]))
            await asyncio.sleep(dice.choice([0.0, 0.0, 0.002, 0.02]))
        async with asyncio.timeout(QUIET_SECONDS):
            while not follower.known >= set(committed):
                follower.told.clear()
                await follower.told.wait()
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await events.close()
        await org.server.stop()
    assert following.cancelled(), "the subscription ended by an error that nothing caused"
