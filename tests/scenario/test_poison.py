"""A contact that Twinbook itself fails on, over the real protocols: its batch goes through all the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.memory.poison import POISON, defective
from tests.scenario.product import backfill, has_reason, product, until

from twinbook.engine.running.supervisor import Supervisor


@pytest.mark.parametrize("transport", ["rest", "restlet"])
async def test_the_others_of_its_batch_go_through(tmp_path: Path, transport: str) -> None:
    with capture_logs():
        await _the_others_go_through(tmp_path, transport)


async def _the_others_go_through(directory: Path, transport: str) -> None:
    async with product(directory, transport=transport) as p:
        account, _ = await p.linked_account()
        names = ["Ada", "Grace", POISON, "Mary"]
        made = [
            await p.contact(LastName=name, Email=f"{name.lower()}@acme.example", AccountId=account)
            for name in names
        ]
        async with p.connected() as real:
            hasty = replace(real.options, retry_base=0.2, retry_cap=0.4)
            connection, client = defective(replace(real, options=hasty))
            await backfill(connection)
            arrived = [await p.in_netsuite(id_) is not None for id_ in made]
            assert arrived == [True, True, False, True]
            assert await has_reason(connection, made[2], "INTERNAL_ERROR")
            client.cured = True

            async def there() -> None:
                async def found() -> bool:
                    return await p.in_netsuite(made[2]) is not None

                await until(found, timeout=60)

            # Nobody retries it: it is due again by itself.
            await Supervisor(connection).run(there(), watch=())
            assert len(await p.netsuite.records("contact", {})) == 4
