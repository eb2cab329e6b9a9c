"""An org's daily requests run short, as it tells with its answers: people's edits go out, a back-fill waits."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tests.scenario.product import Product, product, until

from twinbook.domain.records import Entity
from twinbook.engine.running.listing import Lister
from twinbook.store import runs
from twinbook.store.runs import RunKind


async def test_a_back_fill_rests_while_the_reserve_is_touched_and_live_edits_do_not(tmp_path: Path) -> None:
    async with product(tmp_path) as p:
        account, _ = await p.linked_account()
        waiting = await p.contact(LastName="Waiting", Email="waiting@acme.example", AccountId=account)
        await p.salesforce.set_switches(daily_api_limit=10_000)
        others_have_used(p, 8_500)
        async with p.running() as connection:
            now = connection.clock.now()
            run_id = await connection.store.run(
                lambda tx: runs.start(tx, RunKind.BACKFILL, Entity.CONTACT, by="test", now=now)
            )
            await _arrives(p, account, "Urgent")
            # Not only not yet: a step of the back-fill, taken now, lists nothing.
            assert not await Lister(connection).step()
            run = await connection.store.read(lambda tx: runs.by_id(tx, run_id))
            assert (run.listed, await p.in_netsuite(waiting)) == (0, None)

            # The last 24 hours move on; the next answer of the org tells.
            p.sandbox.salesforce._state.usage.clear()
            await _arrives(p, account, "Later")
            await until(lambda: _is_there(p, waiting))


def others_have_used(p: Product, requests: int) -> None:
    now = datetime.now(UTC)
    for _ in range(requests):
        p.sandbox.salesforce._state.usage.add(now)


async def _arrives(p: Product, account: str, name: str) -> None:
    """A contact that a person makes now is soon in NetSuite."""
    made = await p.contact(LastName=name, Email=f"{name.lower()}@acme.example", AccountId=account)
    await until(lambda: _is_there(p, made))


async def _is_there(p: Product, contact: str) -> bool:
    return await p.in_netsuite(contact) is not None
