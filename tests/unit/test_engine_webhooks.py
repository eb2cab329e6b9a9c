"""What the engine stores is told to webhooks in the same transaction, and only what changed."""

from __future__ import annotations

from tests.memory.world import world

from twinbook.store import deliveries, recipients
from twinbook.store.recipients import Kind


async def test_a_created_contact_is_queued_for_the_webhook_by_its_ids() -> None:
    async with world() as w:
        store = w.connection.store
        await store.run(
            lambda tx: recipients.add(tx, Kind.WEBHOOK, name="a", shown="", sealed="", rules={}, now=0)
        )
        account, _ = w.linked_account()
        contact = w.salesforce.user_creates_contact(
            LastName="Lovelace", Email="a@b.example", AccountId=account
        )
        await w.settle()
        queued = await store.run(lambda tx: deliveries.take(tx, limit=50, until=10**12, now=10**11))
        told = [item for message in queued for item in message.content["records"] if item["id"] == contact]
        [there] = w.netsuite.contacts
        assert (told[0]["outcome"], told[0]["counterpart_id"], told[0]["before"]) == (
            "created",
            there.id,
            None,
        )
        assert "Lovelace" not in str([message.content for message in queued])
