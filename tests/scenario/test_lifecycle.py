"""Section 5 of behaviour.md over the real protocols: deletes, undeletes, merges and moves, both ends checked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.scenario.product import Product, backfill, has_reason, outcome, until

from twinbook.domain.plan import OutcomeKind
from twinbook.domain.records import Entity, Key, LinkState, Side
from twinbook.engine.care import controls
from twinbook.engine.connection import Connection
from twinbook.store import flows, journal, links

Record = dict[str, Any]


async def twin(p: Product, connection: Connection, name: str, account: str) -> tuple[str, str]:
    """A linked contact: both ids."""
    contact = await p.contact(
        FirstName=name, LastName="Lovelace", Email=f"{name.lower()}@acme.example", AccountId=account
    )

    async def arrived() -> bool:
        link = await stored(connection, contact)
        written = (await p.salesforce.read("Contact", contact)).get("NetSuite_Id__c")
        return link is not None and link[0] is LinkState.LINKED and bool(written)

    await until(arrived)
    return contact, str((await p.salesforce.read("Contact", contact))["NetSuite_Id__c"])


async def stored(connection: Connection, contact: str) -> tuple[LinkState, str | None] | None:
    """State and counterpart of the link."""
    found = await connection.store.run(lambda tx: links.by_salesforce(tx, Entity.CONTACT, [contact]))
    return (found[contact].state, found[contact].netsuite_id) if contact in found else None


async def history(connection: Connection, contact: str) -> list[tuple[str, str, str]]:
    """What happened to the link, who and why, newest first."""
    entries = await connection.store.run(
        lambda tx: journal.history(tx, salesforce_id=contact, netsuite_id=None)
    )
    return [(entry.what, entry.who, entry.why) for entry in entries if entry.what != "written back"]


async def choose(connection: Connection, contact: str, choice: str) -> None:
    key = Key(Entity.CONTACT, Side.SALESFORCE, contact)
    now = connection.clock.now()
    await connection.store.run(lambda tx: controls.choose(tx, key, choice, by="ann", now=now))
    connection.wake.ring()


async def settles(connection: Connection, contact: str, reason: str) -> None:
    await until(lambda: has_reason(connection, contact, reason))


async def netsuite_contact(p: Product, netsuite_id: str) -> Record | None:
    found = [item for item in await p.netsuite.records("contact") if item["id"] == netsuite_id]
    return found[0] if found else None


@asynccontextmanager
async def acme(p: Product, **contacts: Any) -> AsyncIterator[tuple[Connection, str]]:
    """A running connection under these settings, with a linked account."""
    p.configure("contacts", **contacts)
    if not {"delete", "review"}.isdisjoint(contacts.values()):
        await p.may_delete_in_netsuite()
    account, _ = await p.linked_account()
    async with p.running() as connection:
        yield connection, account


@pytest.mark.row("2-1", "5-deleted", "5-undeleted")
@pytest.mark.parametrize("policy", ["keep", "inactivate", "delete", "review"])
async def test_deleted_and_undeleted_in_salesforce(p: Product, policy: str) -> None:
    async with acme(p, deleted_in_salesforce=policy) as (connection, account):
        ada, there = await twin(p, connection, "Ada", account)
        await p.salesforce.delete("Contact", ada)
        await settles(connection, ada, "DELETED_IN_SALESFORCE")
        left = await netsuite_contact(p, there)
        assert (left is None) is (policy == "delete")
        assert bool(left and left["isInactive"]) is (policy == "inactivate")
        state = LinkState.LINKED if policy == "review" else LinkState.CLOSED
        assert await stored(connection, ada) == (state, there)
        if policy != "review":
            what, who, why = (await history(connection, ada))[0]
            assert (what, who) == ("delete" if policy == "delete" else "close", "twinbook")
            assert f'deleted_in_salesforce = "{policy}"' in why

        await p.salesforce.act("undelete", type="Contact", id=ada)
        await p.salesforce.update("Contact", ada, {"Title": "Countess"})

        async def back() -> bool:
            found = await p.in_netsuite(ada)
            return found is not None and found.get("title") == "Countess"

        await until(back)
        found = await p.in_netsuite(ada)
        assert found is not None
        assert not found["isInactive"]
        assert (found["id"] == there) is (policy != "delete")

        async def linked() -> bool:
            return await stored(connection, ada) == (LinkState.LINKED, found["id"])

        await until(linked)


@pytest.mark.row("5-deleted")
async def test_a_delete_in_review_is_decided_by_a_person(p: Product) -> None:
    async with acme(p, deleted_in_salesforce="review") as (connection, account):
        ada, there = await twin(p, connection, "Ada", account)
        await p.salesforce.delete("Contact", ada)
        await settles(connection, ada, "DELETED_IN_SALESFORCE")
        listed = (await p.command("choose", "--json")).json()
        assert [(item["record"]["id"], item["choices"]) for item in listed] == [
            (ada, ["keep", "inactivate", "delete"])
        ]
        assert (await p.command("choose", there, "new")).code == 2
        assert await netsuite_contact(p, there) is not None
        assert (await p.command("choose", there, "delete")).code == 0

        async def gone() -> bool:
            return await netsuite_contact(p, there) is None

        await until(gone)
        await until(lambda: _state(connection, ada, LinkState.CLOSED))
        what, who, why = (await history(connection, ada))[0]
        assert what == "delete"
        assert f"{who} chose 'delete'" in why


@pytest.mark.row("5-edit-wins")
async def test_an_edit_in_netsuite_wins_over_a_delete_in_salesforce(p: Product) -> None:
    async with acme(p, deleted_in_salesforce="delete") as (connection, account):
        ada, there = await twin(p, connection, "Ada", account)
        await p.netsuite.update("contact", there, {"title": "Countess"})
        await p.salesforce.delete("Contact", ada)
        await settles(connection, ada, "DELETED_IN_SALESFORCE")
        left = await netsuite_contact(p, there)
        assert left is not None
        assert (left["title"], left["isInactive"]) == ("Countess", False)
        assert "it was edited there since" in (await history(connection, ada))[0][2]


@pytest.mark.row("5-merged")
async def test_the_winner_of_a_merge_inherits_the_link(p: Product) -> None:
    async with acme(p) as (connection, account):
        winner = await p.contact(LastName="King", AccountId=account)
        await settles(connection, winner, "NO_EMAIL")
        ada, there = await twin(p, connection, "Ada", account)
        await p.salesforce.act("merge", type="Contact", master=winner, losers=[ada])
        await settles(connection, ada, "MERGED_AWAY")

        async def inherited() -> bool:
            return await stored(connection, winner) == (LinkState.LINKED, there)

        await until(inherited)
        assert await stored(connection, ada) == (LinkState.CLOSED, there)
        [left] = await p.netsuite.records("contact")
        assert (left["id"], left["custentity_twinbook_sf_id"], left["lastName"]) == (there, winner, "King")

        async def written() -> bool:
            return (await p.salesforce.read("Contact", winner)).get("NetSuite_Id__c") == there

        await until(written)
        whats = {what: why for what, _, why in await history(connection, winner)}
        assert f"{ada} was merged into it" in whats["inherit"]
        assert any("MERGED_AWAY" in why for _, _, why in await history(connection, ada))


@pytest.mark.row("5-merged")
@pytest.mark.parametrize("policy", ["review", "keep", "inactivate"])
async def test_the_winner_keeps_its_link_and_the_second_contact_is_for_the_setting(
    p: Product, policy: str
) -> None:
    async with acme(p, merged_away=policy) as (connection, account):
        grace, first = await twin(p, connection, "Grace", account)
        ada, second = await twin(p, connection, "Ada", account)
        await p.salesforce.act("merge", type="Contact", master=grace, losers=[ada])
        await settles(connection, ada, "MERGED_AWAY")
        assert await stored(connection, grace) == (LinkState.LINKED, first)
        if policy == "review":
            found = await outcome(connection, ada)
            assert found is not None
            assert (found.kind, found.choices) == (OutcomeKind.REVIEW, ("keep", "inactivate"))
            assert await stored(connection, ada) == (LinkState.LINKED, second)
            await choose(connection, ada, "inactivate")
        await until(lambda: _state(connection, ada, LinkState.CLOSED))
        left = await netsuite_contact(p, second)
        assert left is not None
        assert left["isInactive"] is (policy != "keep")
        what, who, why = (await history(connection, ada))[0]
        assert what == "close"
        assert who == ("ann" if policy == "review" else "twinbook")
        assert (f'merged_away = "{policy}"' in why) is (policy != "review")


@pytest.mark.row("5-merged")
async def test_of_two_losers_one_is_inherited(p: Product) -> None:
    async with acme(p) as (connection, account):
        winner = await p.contact(LastName="King", AccountId=account)
        ada, first = await twin(p, connection, "Ada", account)
        grace, second = await twin(p, connection, "Grace", account)
        await p.salesforce.act("merge", type="Contact", master=winner, losers=[ada, grace])

        async def inherited() -> bool:
            return await stored(connection, winner) == (LinkState.LINKED, first)

        await until(inherited)
        await settles(connection, grace, "MERGED_AWAY")
        assert await stored(connection, grace) == (LinkState.LINKED, second)
        assert len(await p.netsuite.records("contact")) == 2


@pytest.mark.row("5-moved", "5-moved-unlinked")
async def test_moved_to_another_account(p: Product) -> None:
    async with acme(p) as (connection, account):
        ada, there = await twin(p, connection, "Ada", account)
        prospect = await p.salesforce.insert("Account", {"Name": "Prospect"})
        await p.salesforce.update("Contact", ada, {"AccountId": prospect, "Title": "Countess"})
        await settles(connection, ada, "ACCOUNT_NOT_SYNCED")
        assert await stored(connection, ada) == (LinkState.LINKED, there)
        left = await netsuite_contact(p, there)
        assert left is not None
        assert left.get("title") is None

        germany = await p.netsuite.insert("subsidiary", {"name": "Germany"})
        customer = await p.netsuite.insert(
            "customer", {"companyName": "Prospect", "subsidiary": {"id": germany}}
        )
        await p.salesforce.update("Account", prospect, {"NetSuite_Id__c": customer})

        async def moved() -> bool:
            found = await netsuite_contact(p, there)
            return found is not None and found["company"] == customer

        await until(moved)
        found = await netsuite_contact(p, there)
        assert found is not None
        assert (found["subsidiary"], found["title"]) == (germany, "Countess")
        assert await stored(connection, ada) == (LinkState.LINKED, there)


@pytest.mark.row("5-accounts")
@pytest.mark.parametrize("events", [True, False])
async def test_accounts_merged_move_their_contacts_to_the_winners_customer(p: Product, events: bool) -> None:
    await p.salesforce.set_switches(account_merge_fires_contact_events=events)
    async with acme(p) as (connection, account):
        globex, customer = await p.linked_account("Globex")
        ada, there = await twin(p, connection, "Ada", account)
        await p.salesforce.act("merge", type="Account", master=globex, losers=[account])

        async def moved() -> bool:
            found = await netsuite_contact(p, there)
            return found is not None and found["company"] == customer

        await until(moved)
        assert await stored(connection, ada) == (LinkState.LINKED, there)
        assert (await p.salesforce.read("Account", globex))["NetSuite_Id__c"] == customer


@pytest.mark.row("5-accounts")
async def test_an_account_that_wins_a_merge_inherits_the_customer(p: Product) -> None:
    async with acme(p) as (connection, account):
        ada, there = await twin(p, connection, "Ada", account)
        customer = (await p.salesforce.read("Account", account))["NetSuite_Id__c"]
        winner = await p.salesforce.insert("Account", {"Name": "Newcomer"})
        await p.salesforce.act("merge", type="Account", master=winner, losers=[account])

        async def inherited() -> bool:
            return (await p.salesforce.read("Account", winner)).get("NetSuite_Id__c") == customer

        await until(inherited)
        await p.salesforce.update("Contact", ada, {"Title": "Countess"})

        async def synced() -> bool:
            found = await netsuite_contact(p, there)
            return found is not None and found.get("title") == "Countess"

        await until(synced)
        assert await p.netsuite.count("customer") == 1


@pytest.mark.row("2-9", "5-gone")
@pytest.mark.parametrize(
    "settings", [{}, {"counterpart_missing": "recreate"}, {"deleted_in_netsuite": "recreate"}]
)
async def test_gone_from_netsuite_is_created_again(p: Product, settings: dict[str, str]) -> None:
    async with acme(p, **settings) as (connection, account):
        ada, there = await twin(p, connection, "Ada", account)
        await p.netsuite.delete("contact", there)
        await p.salesforce.update("Contact", ada, {"Title": "Countess"})
        if not settings:
            await settles(connection, ada, "COUNTERPART_MISSING")
            assert await p.netsuite.count("contact") == 0
            await choose(connection, ada, "new")

        async def again() -> bool:
            return (await stored(connection, ada) or (None, there))[1] not in (None, there)

        async def edited() -> bool:
            # With NetSuite's word of the delete it may be created before Salesforce's word of the edit comes.
            return (await p.in_netsuite(ada) or {}).get("title") == "Countess"

        await until(again)
        await until(edited)
        found = await p.in_netsuite(ada)
        assert found is not None
        assert found["externalId"] == f"SFC_{ada}"
        assert await stored(connection, ada) == (LinkState.LINKED, found["id"])
        entry = next(item for item in await history(connection, ada) if there in item[2])
        assert entry[1] == ("twinbook" if settings else "ann")


@pytest.mark.row("2-9", "5-gone")
async def test_gone_from_netsuite_is_matched_again(p: Product) -> None:
    async with acme(p, counterpart_missing="rematch") as (connection, account):
        ada, there = await twin(p, connection, "Ada", account)
        customer = (await p.salesforce.read("Account", account))["NetSuite_Id__c"]
        other = await p.netsuite.insert(
            "contact",
            {
                "firstName": "A.",
                "lastName": "Lovelace",
                "email": "ada@acme.example",
                "company": {"id": customer},
                "subsidiary": {"id": "1"},
            },
        )
        await p.netsuite.delete("contact", there)
        await p.salesforce.update("Contact", ada, {"Title": "Countess"})

        async def matched() -> bool:
            titles = [item["title"] for item in await p.netsuite.records("contact")]
            return await stored(connection, ada) == (LinkState.LINKED, other) and titles == ["Countess"]

        await until(matched)
        [left] = await p.netsuite.records("contact")
        assert (left["id"], left["custentity_twinbook_sf_id"], left["title"]) == (other, ada, "Countess")


@pytest.mark.row("5-valve")
async def test_a_mass_delete_stops_until_a_person_confirms(p: Product) -> None:
    await p.may_delete_in_netsuite()
    p.configure("contacts", deleted_in_salesforce="delete")
    p.configure("limits", stop_deletes_above=5)
    account, _ = await p.linked_account()
    made = [
        await p.contact(LastName=f"N{n}", Email=f"n{n}@acme.example", AccountId=account) for n in range(40)
    ]
    async with p.connected() as connection:
        await backfill(connection)
    assert await p.netsuite.count("contact") == 40
    async with p.running() as connection:
        for contact in made[:20]:
            await p.salesforce.delete("Contact", contact)
        await until(lambda: _stopped(connection))

        async def held() -> bool:
            found = [await outcome(connection, contact) for contact in made[:20]]
            return sum(item is not None and item.reason == "SAFETY_STOP" for item in found) >= 15

        await until(held)
        assert await p.netsuite.count("contact") >= 35
        status = (await p.command("status", "--json")).json()
        assert "of 40 linked contacts" in status["flow"]["stopped_why"]
        assert "twinbook resume --confirm" in (await p.command("status")).out
        refused = await p.command("resume")
        assert (refused.code, "resume --confirm" in refused.err) == (1, True)
        assert (await p.command("resume", "--confirm")).code == 0

        async def worked_off() -> bool:
            return await p.netsuite.count("contact") == 20

        await until(worked_off)
        status = (await p.command("status", "--json")).json()
        assert status["flow"]["stopped_why"] is None


async def _state(connection: Connection, contact: str, state: LinkState) -> bool:
    found = await stored(connection, contact)
    return found is not None and found[0] is state


async def _stopped(connection: Connection) -> bool:
    return (await connection.store.run(flows.state)).stopped
