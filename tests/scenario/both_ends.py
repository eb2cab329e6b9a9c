"""What is the same at both ends, and what is not: the invariants of every test over workers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from tests.scenario.product import Product
from tests.scenario.workers import Cluster


async def make_contacts(p: Product, number: int) -> list[str]:
    account, _ = await p.linked_account()
    return [
        await p.contact(LastName=f"Lovelace {i}", Email=f"ada{i}@acme.example", AccountId=account)
        for i in range(number)
    ]


async def differences(p: Product, ids: Iterable[str]) -> list[str]:
    """Contacts that are twice or missing there, that carry wrong ids, or whose title differs, in words."""
    here = {record["Id"]: record for record in await p.salesforce.records("Contact", limit=10_000)}
    there: dict[str, list[dict[str, str]]] = {}
    for record in await p.netsuite.records("contact", limit=10_000):
        there.setdefault(record.get("custentity_twinbook_sf_id", ""), []).append(record)
    found = []
    for id_ in ids:
        twins = there.get(id_, [])
        if len(twins) != 1:
            found.append(f"{id_} has {len(twins)} contacts in NetSuite")
        elif (here[id_].get("Title") or None) != (twins[0].get("title") or None):
            found.append(f"{id_}: {here[id_].get('Title')!r} here, {twins[0].get('title')!r} there")
        elif str(here[id_].get("NetSuite_Id__c")) != str(twins[0]["id"]):
            found.append(f"{id_} names another contact than its own")
    return found


def in_step(c: Cluster, ids: list[str]) -> Callable[[], Awaitable[bool]]:
    async def reached() -> bool:
        return await c.is_idle() and not await differences(c.product, ids)

    return reached
