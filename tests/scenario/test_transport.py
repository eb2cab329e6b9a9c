"""The way to NetSuite changes while Twinbook runs: contacts arrive, and people are told."""

from __future__ import annotations

from tests.scenario.product import Product, until

from twinbook.packaged import folder
from twinbook.store import conditions
from twinbook.store.conditions import Condition, State

SCRIPT = "customscript_twinbook_batch"


async def test_contacts_go_over_rest_while_the_script_is_gone(p: Product) -> None:
    p.configure("netsuite", transport="auto")
    await p.netsuite.act("deploy_project", path=str(folder("netsuite")))
    account, _ = await p.linked_account()
    async with p.running() as connection:
        in_step = Condition(State.IN_STEP, connection.clock.now())
        await connection.store.run(lambda tx: conditions.note(tx, in_step))

        async def arrives(name: str) -> None:
            contact = await p.contact(LastName=name, Email=f"{name}@acme.example".lower(), AccountId=account)

            async def there() -> bool:
                return await p.in_netsuite(contact) is not None

            await until(there)

        async def written_over_rest() -> int:
            return await p.netsuite.calls(["contact.put"])

        await arrives("Lovelace")
        assert await written_over_rest() == 0
        await p.netsuite.act("switch_script", script=SCRIPT, deployed=False)
        await arrives("Hopper")
        assert await written_over_rest() == 1

        async def told() -> bool:
            found = await connection.store.read(conditions.of)
            return found is not None and "NO_RESTLET" in found.detail

        await until(told, timeout=30)
        assert "contacts go one by one over REST" in (await p.command("status")).out
