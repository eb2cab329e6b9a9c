"""The account flow over the real protocols (behaviour.md 6). Both ends are checked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.scenario.product import Product, outcome, until

from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Key, Side
from twinbook.engine.care import controls
from twinbook.engine.connection import Connection
from twinbook.store import dirty_keys


async def account(p: Product, name: str = "Acme", **fields: Any) -> str:
    return await p.salesforce.insert("Account", {"Name": name, **fields})


async def customer(p: Product, name: str = "Acme", **fields: Any) -> str:
    return await p.netsuite.insert("customer", {"companyName": name, "subsidiary": {"id": "1"}, **fields})


async def opportunity(p: Product, of: str, stage: str = "Prospecting") -> str:
    fields = {"Name": "First", "AccountId": of, "StageName": stage, "CloseDate": "2030-01-31"}
    return await p.salesforce.insert("Opportunity", fields)


async def stored_id(p: Product, of: str) -> str | None:
    return (await p.salesforce.read("Account", of)).get("NetSuite_Id__c")


async def linked(p: Product, of: str) -> str:
    """The customer of an account, as soon as it has one."""
    await until(lambda: _is(stored_id(p, of)))
    return str(await stored_id(p, of))


async def has(connection: Connection, of: str, reason: Reason) -> None:
    async def there() -> bool:
        found = await outcome(connection, of, Entity.ACCOUNT)
        return found is not None and found.reason is reason

    await until(there)


async def shows(p: Product, side: str, id_: str, field: str, value: object) -> None:
    system, kind = (p.salesforce, "Account") if side == "salesforce" else (p.netsuite, "customer")

    async def there() -> bool:
        return bool((await system.read(kind, id_)).get(field) == value)

    await until(there)


async def _is(awaitable: Awaitable[object]) -> bool:
    return bool(await awaitable)


async def _wins(p: Product, _: Connection, of: str) -> None:
    await opportunity(p, of, "Closed Won")


async def _quotes(p: Product, _: Connection, of: str) -> None:
    await p.salesforce.insert("Quote", {"Name": "Offer", "OpportunityId": await opportunity(p, of)})


async def _pushes(p: Product, _: Connection, of: str) -> None:
    await p.salesforce.update("Account", of, {"Push_to_NetSuite__c": True})


async def _satisfies_the_rule(p: Product, _: Connection, of: str) -> None:
    await p.salesforce.update("Account", of, {"Type": "Customer - Direct"})


async def _asks(_: Product, connection: Connection, of: str) -> None:
    key = Key(Entity.ACCOUNT, Side.SALESFORCE, of)
    now = connection.clock.now()
    await connection.store.run(lambda tx: controls.push(tx, key, now=now))


RULE = [{"name": "customers", "expression": "account.Type == 'Customer - Direct'"}]


@pytest.mark.row("6-triggers", "6-released", "6-created")
@pytest.mark.parametrize(
    ("settings", "fire"),
    [
        pytest.param({"triggers": ["closed-won"]}, _wins, id="closed-won"),
        pytest.param({"triggers": ["quote"]}, _quotes, id="quote"),
        pytest.param({"triggers": ["rule"], "rules": RULE}, _satisfies_the_rule, id="rule"),
        pytest.param({"triggers": []}, _pushes, id="push"),
        pytest.param({"triggers": []}, _asks, id="by-hand"),
    ],
)
async def test_each_trigger_makes_a_customer_and_lets_the_contacts_out(
    p: Product, settings: dict[str, Any], fire: Callable[[Product, Connection, str], Awaitable[None]]
) -> None:
    p.configure("accounts", **settings)
    async with p.running() as connection:
        prospect = await account(p, Type="Prospect")
        contact = await p.contact(LastName="Waits", Email="w@acme.example", AccountId=prospect)
        await has(connection, prospect, Reason.NO_TRIGGER)
        assert await p.netsuite.count("customer") == 0
        await fire(p, connection, prospect)
        made = await linked(p, prospect)
        await until(lambda: _is(p.in_netsuite(contact)))
    there = await p.netsuite.read("customer", made)
    assert (there["externalId"], there["companyName"]) == (f"SFA_{prospect}", "Acme")
    assert there["custentity_twinbook_sf_id"] == prospect
    assert (await p.salesforce.read("Account", prospect))["Push_to_NetSuite__c"] is False


@pytest.mark.row("6-triggers")
async def test_all_links_every_account_with_what_is_known_of_it(p: Product) -> None:
    p.configure("accounts", triggers=["all"])
    async with p.running():
        made = await linked(
            p,
            await account(
                p,
                Phone="+49 30 1234",
                Website="acme.example",
                BillingStreet="Hauptstr. 5\nHof",
                BillingCity="Berlin",
                BillingCountry="Germany",
            ),
        )
    there = await p.netsuite.read("customer", made)
    assert (there["phone"], there["url"]) == ("+49 30 1234", "http://acme.example")
    [line] = there["addressBook"]
    address = line["addressBookAddress"]
    assert (address["addr1"], address["addr2"], address["city"]) == ("Hauptstr. 5", "Hof", "Berlin")
    assert line["defaultBilling"] is True


async def test_without_change_events_quotes_are_polled(p: Product) -> None:
    await p.salesforce.act("disable_entity", entity="Quote")
    p.configure("accounts", triggers=["quote"])
    async with p.running() as connection:
        prospect = await account(p)
        await _quotes(p, connection, prospect)
        await linked(p, prospect)


@pytest.mark.row("6-name")
async def test_the_customer_of_the_same_name_is_adopted(p: Product) -> None:
    p.configure("accounts", triggers=["all"])
    existing = await customer(p, "ACME ")
    async with p.running():
        found = await account(p, "Acme")
        assert await linked(p, found) == existing
    assert (await p.netsuite.read("customer", existing))["custentity_twinbook_sf_id"] == found
    assert await p.netsuite.count("customer") == 1


@pytest.mark.row("6-name")
async def test_several_customers_of_the_name_are_for_a_person(p: Product) -> None:
    await p.netsuite.set_switches(customer_auto_number=True)
    p.configure("accounts", triggers=["all"])
    both = {await customer(p), await customer(p)}
    async with p.running() as connection:
        prospect = await account(p)
        await has(connection, prospect, Reason.AMBIGUOUS_CUSTOMER)
        found = await outcome(connection, prospect, Entity.ACCOUNT)
        assert found is not None
        assert {*found.choices} == both | {"new"}
    assert await p.netsuite.count("customer") == 2


@pytest.mark.row("6-name")
async def test_a_customer_of_another_account_is_taken(p: Product) -> None:
    p.configure("accounts", triggers=["all"])
    async with p.running() as connection:
        made = await linked(p, await account(p))
        second = await account(p)
        await has(connection, second, Reason.CUSTOMER_TAKEN)
        assert await stored_id(p, second) is None
    assert [each["id"] for each in await p.netsuite.records("customer")] == [made]


@pytest.mark.row("6-parents")
async def test_parents_go_first_through_three_levels(p: Product) -> None:
    top = await account(p, "Top")
    middle = await account(p, "Middle", ParentId=top)
    async with p.running():
        child = await account(p, "Child", ParentId=middle)
        await opportunity(p, child, "Closed Won")
        made = {id_: await linked(p, id_) for id_ in (child, middle, top)}
    parents = {id_: (await p.netsuite.read("customer", made[id_])).get("parent") for id_ in made}
    assert parents == {child: made[middle], middle: made[top], top: None}
    assert await p.netsuite.count("customer") == 3


@pytest.mark.row("6-parents")
async def test_a_parent_that_is_linked_later_is_set(p: Product) -> None:
    p.configure("accounts", triggers=["closed-won"])
    child, below = await p.linked_account("Child")
    async with p.running():
        top = await account(p, "Top")
        await p.salesforce.update("Account", child, {"ParentId": top})
        await opportunity(p, top, "Closed Won")
        above = await linked(p, top)
        await shows(p, "netsuite", below, "parent", above)
        await p.salesforce.update("Account", child, {"ParentId": None})
        await shows(p, "netsuite", below, "parent", None)


@pytest.mark.row("6-fields")
@pytest.mark.parametrize("direction", ["salesforce-to-netsuite", "netsuite-to-salesforce", "both"])
async def test_edits_travel_as_the_direction_allows(p: Product, direction: str) -> None:
    p.configure("contacts", direction=direction)
    p.configure("netsuite", poll_seconds=0.2)
    at, there = await p.linked_account()
    both_ways = (direction != "netsuite-to-salesforce", direction != "salesforce-to-netsuite")
    async with p.running() as connection:
        await p.salesforce.update("Account", at, {"Phone": "030 1111111"})
        await p.netsuite.update("customer", there, {"fax": "030 2222222"})
        if both_ways[0]:
            await shows(p, "netsuite", there, "phone", "030 1111111")
        if both_ways[1]:
            await shows(p, "salesforce", at, "Fax", "030 2222222")
        await at_rest(connection)
        writes = await p.netsuite_writes()
        await _asks(p, connection, at)
        await at_rest(connection)
        assert await p.netsuite_writes() == writes
    shown = (await p.netsuite.read("customer", there)).get("phone")
    kept = (await p.salesforce.read("Account", at)).get("Fax")
    assert (shown == "030 1111111", kept == "030 2222222") == both_ways


async def at_rest(connection: Connection) -> None:
    async def idle() -> bool:
        return (
            await connection.store.run(dirty_keys.next_due) is None
            and not (
                await connection.store.run(lambda tx: dirty_keys.depth(tx, now=connection.clock.now()))
            ).claimed
        )

    await until(idle)


@pytest.mark.row("6-created")
async def test_a_rule_chooses_the_subsidiary(p: Product) -> None:
    second = await p.netsuite.insert("subsidiary", {"name": "Germany"})
    expression = "account.BillingCountry == 'Germany'"
    rules = [{"name": "germany", "expression": expression, "subsidiary_id": second}]
    p.configure("accounts", triggers=["all"], subsidiary_rules=rules, subsidiary_id="1")
    async with p.running():
        german = await linked(p, await account(p, "Muster", BillingCountry="Germany"))
        other = await linked(p, await account(p, "Other", BillingCountry="France"))
    assert (await p.netsuite.read("customer", german))["subsidiary"] == second
    assert (await p.netsuite.read("customer", other))["subsidiary"] == "1"


@pytest.mark.row("6-gate-only")
async def test_gate_only_waits_for_another_tool_and_writes_no_customer(p: Product) -> None:
    p.configure("accounts", mode="gate-only", triggers=["all"])
    async with p.running() as connection:
        prospect = await account(p, Phone="030 1111111")
        contact = await p.contact(LastName="Waits", Email="w@acme.example", AccountId=prospect)
        await has(connection, prospect, Reason.GATE_ONLY)
        made = await customer(p, "Acme", phone="030 2222222")
        before = await p.netsuite.records("customer")
        await p.salesforce.update("Account", prospect, {"NetSuite_Id__c": made})
        await until(lambda: _is(p.in_netsuite(contact)))
        await p.salesforce.update("Account", prospect, {"Phone": "030 3333333"})
        await at_rest(connection)
        assert await p.netsuite_writes() == 1, "the contact, and nothing else"
    assert await p.netsuite.records("customer") == before


@pytest.mark.row("5-accounts")
async def test_the_winner_of_a_merger_inherits_the_customer_and_the_contacts_stay_in_step(p: Product) -> None:
    loser, made = await p.linked_account("Acme Old")
    async with p.running() as connection:
        winner = await account(p, "Acme New")
        contact = await p.contact(LastName="Moves", Email="m@acme.example", AccountId=loser)
        await until(lambda: _is(p.in_netsuite(contact)))
        await p.salesforce.act("merge", type="Account", master=winner, losers=[loser])
        assert await linked(p, winner) == made
        await p.salesforce.update("Contact", contact, {"Title": "Stays"})

        async def arrived() -> bool:
            there = await p.in_netsuite(contact)
            return there is not None and there.get("title") == "Stays"

        await until(arrived)
        await at_rest(connection)
    assert (await p.netsuite.read("customer", made))["custentity_twinbook_sf_id"] == winner
