"""What a change of settings would do, from the command line."""

from __future__ import annotations

from pathlib import Path

from tests.scenario.product import backfill, product


async def test_which_contacts_a_change_would_concern(tmp_path: Path) -> None:
    async with product(tmp_path) as p:
        account, _ = await p.linked_account()
        linked = await p.contact(LastName="Linked", Email="l@acme.example", AccountId=account, Title="Chief")
        await p.contact(LastName="Without", AccountId=account)
        async with p.connected() as connection:
            await backfill(connection)
        alone = await p.command("plan", "--set", "contacts.update=false", "--json")
        assert alone.json()["counts"] == [{"from": "in step", "to": "skipped UPDATE_DISABLED", "number": 1}]
        assert [item["key"]["id"] for item in alone.json()["contacts"]] == [linked]

        other = tmp_path / "other.toml"
        text = p.config.read_text() + '\n[[connections.default.contacts.rules]]\nname = "no chiefs"\n'
        other.write_text(text + "expression = 'contact.Title != \"Chief\"'\n")
        against = await p.command("plan", "--against", str(other))
        assert "skipped RULE" in against.out and "Nothing was written" in against.out
        same = await p.command("plan", "--against", str(p.config))
        assert "No contact would come to anything else" in same.out
        wrong = await p.command("plan", "--set", "contacts=1")
        assert wrong.code == 2 and "table.key=value" in wrong.err
