"""Section 4 over the real protocols: each feature of the field mapping, both ends checked."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio
from tests.scenario.looking import Acme, look
from tests.scenario.product import Product

from twinbook.domain.plan import OutcomeKind

pytestmark = pytest.mark.asyncio(loop_scope="module")
FIELD = "custentity_note"


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def custom_field(installation: Product) -> None:
    await installation.netsuite.act("deploy_field", script_id=FIELD, type="text", max_length=20)


@pytest_asyncio.fixture(loop_scope="module")
async def acme(shared: Product) -> Acme:
    shared.configure("contacts", direction="both")
    return await Acme.founded(shared)


def mapped(p: Product, **row: Any) -> None:
    """One row beside the default map: Department, or a computed value, to a custom field."""
    p.configure("contacts", mapping=[{"netsuite": FIELD, **row}])


async def note(p: Product, there: str) -> Any:
    return (await p.netsuite.read("contact", there)).get(FIELD)


async def department(p: Product, here: str) -> Any:
    return (await p.salesforce.read("Contact", here)).get("Department")


async def edit(p: Product, here: str, **fields: Any) -> OutcomeKind:
    """A user saves the Salesforce contact; what comes of it."""
    await p.salesforce.update("Contact", here, fields)
    return (await look(p, here)).kind


@pytest.mark.row("4-when")
async def test_a_row_waits_for_its_condition(shared: Product, acme: Acme) -> None:
    mapped(shared, salesforce="Department", when="contact.LeadSource == 'Web'")
    here, there = await acme.pair(Department="Sales")
    assert await note(shared, there) is None
    assert await edit(shared, here, LeadSource="Web") is OutcomeKind.UPDATED
    assert await note(shared, there) == "Sales"
    await edit(shared, here, LeadSource="Partner", Department="Support")
    assert await note(shared, there) == "Sales"


@pytest.mark.row("4-create-only")
async def test_a_row_for_new_records_is_not_written_afterwards(shared: Product, acme: Acme) -> None:
    mapped(shared, salesforce="Department", create_only=True)
    here, there = await acme.pair(Department="Sales")
    assert await note(shared, there) == "Sales"
    assert await edit(shared, here, Department="Support") is OutcomeKind.UNCHANGED
    assert await note(shared, there) == "Sales"
    await shared.netsuite.update("contact", there, {FIELD: "theirs"})
    await look(shared, here)
    assert await department(shared, here) == "Support"


@pytest.mark.row("4-ignore-blank")
async def test_a_blank_that_is_ignored_erases_on_neither_side(shared: Product, acme: Acme) -> None:
    mapped(shared, salesforce="Department", ignore_blank=True)
    here, there = await acme.pair(Department="Sales")
    await edit(shared, here, Department=None)
    assert await note(shared, there) == "Sales"
    await edit(shared, here, Department="Support")
    assert await note(shared, there) == "Support"
    await shared.netsuite.update("contact", there, {FIELD: None})
    await look(shared, here)
    assert await department(shared, here) == "Support"


@pytest.mark.row("4-default")
async def test_a_blank_is_sent_as_the_default_once(shared: Product, acme: Acme) -> None:
    mapped(shared, salesforce="Department", default="unknown", direction="->")
    here, there = await acme.pair()
    assert await note(shared, there) == "unknown"
    assert await edit(shared, here, LeadSource="Web") is OutcomeKind.UNCHANGED
    await edit(shared, here, Department="Sales")
    assert await note(shared, there) == "Sales"
    await edit(shared, here, Department=None)
    assert await note(shared, there) == "unknown"
    assert await edit(shared, here, LeadSource="Other") is OutcomeKind.UNCHANGED


@pytest.mark.row("4-lookup")
async def test_a_table_translates_both_ways(shared: Product, acme: Acme) -> None:
    mapped(shared, salesforce="Department", lookup={"Sales": "S-1", "Support": "S-2"})
    here, there = await acme.pair(Department="sales")
    assert await note(shared, there) in ("S-1", "sales")
    await edit(shared, here, Department="Support")
    assert await note(shared, there) == "S-2"
    await shared.netsuite.update("contact", there, {FIELD: "S-1"})
    await look(shared, here)
    assert await department(shared, here) == "Sales"
    await edit(shared, here, Department="Elsewhere")
    assert await note(shared, there) == "Elsewhere"
    assert (await look(shared, here)).kind is OutcomeKind.UNCHANGED


@pytest.mark.row("4-expression")
async def test_a_computed_value_is_sent_and_follows_its_sources(shared: Product, acme: Acme) -> None:
    mapped(shared, expression="contact.Department + '/' + contact.LeadSource", direction="->")
    here, there = await acme.pair(Department="Sales", LeadSource="Web")
    assert await note(shared, there) == "Sales/Web"
    await edit(shared, here, LeadSource="Other")
    assert await note(shared, there) == "Sales/Other"
    assert (await look(shared, here)).kind is OutcomeKind.UNCHANGED


@pytest.mark.row("4-overflow", "4-checked")
async def test_a_value_that_is_too_long_is_refused_with_its_limit(shared: Product, acme: Acme) -> None:
    here, there = await acme.pair(FirstName="Ada")
    await shared.salesforce.update("Contact", here, {"FirstName": "A" * 40})
    found = await look(shared, here)
    assert (found.kind, found.reason) == (OutcomeKind.FAILED, "FIELD_TOO_LONG")
    assert "firstName has 40 characters, NetSuite takes at most 32" in found.detail
    assert (await shared.netsuite.read("contact", there))["firstName"] == "Ada"


@pytest.mark.row("4-overflow")
async def test_a_value_that_is_too_long_is_cut_where_the_row_says_so_and_nothing_ping_pongs(
    shared: Product, acme: Acme
) -> None:
    row = {"salesforce": "FirstName", "netsuite": "firstName", "on_overflow": "truncate"}
    shared.configure("contacts", mapping=[row])
    here, there = await acme.pair(FirstName="A" * 40)
    assert (await shared.netsuite.read("contact", there))["firstName"] == "A" * 32
    assert (await look(shared, here)).kind is OutcomeKind.UNCHANGED
    assert (await shared.salesforce.read("Contact", here))["FirstName"] == "A" * 40


@pytest.mark.row("4-one-side")
@pytest.mark.parametrize("direction", ["->", "<-"])
async def test_a_row_goes_only_its_way(shared: Product, acme: Acme, direction: str) -> None:
    mapped(shared, salesforce="Department", direction=direction)
    here, there = await acme.pair()
    if direction == "->":
        await edit(shared, here, Department="Sales")
        assert await note(shared, there) == "Sales"
        await shared.netsuite.update("contact", there, {FIELD: "theirs"})
        await look(shared, here)
        assert await department(shared, here) == "Sales"
    else:
        await shared.netsuite.update("contact", there, {FIELD: "theirs"})
        await look(shared, here)
        assert await department(shared, here) == "theirs"
        await edit(shared, here, Department="ours")
        assert await note(shared, there) == "theirs"


@pytest.mark.row("4-conflict")
@pytest.mark.parametrize("policy", ["salesforce", "netsuite"])
async def test_a_conflict_goes_by_the_policy_of_its_row(shared: Product, acme: Acme, policy: str) -> None:
    mapped(shared, salesforce="Department", conflict=policy)
    here, there = await acme.pair(Department="agreed")
    await shared.netsuite.update("contact", there, {FIELD: "theirs"})
    await shared.salesforce.update("Contact", here, {"Department": "ours"})
    await look(shared, here)
    won, lost = ("ours", "theirs") if policy == "salesforce" else ("theirs", "ours")
    assert (await note(shared, there), await department(shared, here)) == (won, won)
    [told] = (await shared.command("explain", here, "--json")).json()
    changes = [change for entry in told["remembered"]["history"] for change in entry["changes"]]
    assert [(change["before"], change["after"]) for change in changes if change["lost"]] == [(lost, won)]


GERMAN = {
    "MailingStreet": "Hauptstr. 5\r\nHinterhof\r\n3. Stock",
    "MailingCity": "Berlin",
    "MailingPostalCode": "10115",
    "MailingCountry": "Germany",
}


@pytest.mark.row("4-address")
async def test_an_address_travels_both_ways_without_loss(shared: Product, acme: Acme) -> None:
    here, there = await acme.pair(**GERMAN)
    [line] = (await shared.netsuite.read("contact", there))["addressBook"]
    inner = line["addressBookAddress"]
    assert [inner[name] for name in ("addr1", "addr2", "addr3", "city", "zip", "country")] == [
        "Hauptstr. 5",
        "Hinterhof",
        "3. Stock",
        "Berlin",
        "10115",
        "DE",
    ]
    assert (line["defaultBilling"], line["defaultShipping"]) == (True, True)
    assert (await look(shared, here)).kind is OutcomeKind.UNCHANGED
    american = {"addr1": "Main St 1", "addr2": "Floor 2", "addr3": None, "city": "Austin", "zip": "78701"}
    moved = {**american, "state": "TX", "country": {"id": "US"}}
    item = {"internalId": line["internalId"], "addressBookAddress": moved}
    await shared.netsuite.update("contact", there, {"addressBook": {"items": [item]}})
    await look(shared, here)
    ours = await shared.salesforce.read("Contact", here)
    assert (ours["MailingStreet"], ours["MailingCity"], ours["MailingPostalCode"]) == (
        "Main St 1\nFloor 2",
        "Austin",
        "78701",
    )
    assert (ours["MailingState"], ours["MailingCountry"]) == ("TX", "United States")
    assert (await look(shared, here)).kind is OutcomeKind.UNCHANGED
    assert await edit(shared, here, MailingState="California") is OutcomeKind.UPDATED
    [line] = (await shared.netsuite.read("contact", there))["addressBook"]
    assert line["addressBookAddress"]["state"] == "CA"


@pytest.mark.row("4-address")
async def test_a_street_of_more_than_three_lines_loses_nothing(shared: Product, acme: Acme) -> None:
    _, there = await acme.pair(**{**GERMAN, "MailingStreet": "One\nTwo\nThree\nFour"})
    [line] = (await shared.netsuite.read("contact", there))["addressBook"]
    inner = line["addressBookAddress"]
    assert (inner["addr1"], inner["addr2"], inner["addr3"]) == ("One", "Two", "Three, Four")


@pytest.mark.row("4-address-book")
async def test_other_lines_of_the_address_book_stay_as_they_are(shared: Product, acme: Acme) -> None:
    here, there = await acme.pair(**GERMAN)
    yard = {
        "label": "Yard",
        "addressBookAddress": {"addr1": "Werft 1", "city": "Kiel", "country": {"id": "DE"}},
    }
    await shared.netsuite.update("contact", there, {"addressBook": {"items": [yard]}})
    before = {line["label"]: line for line in (await shared.netsuite.read("contact", there))["addressBook"]}
    assert await edit(shared, here, MailingCity="Potsdam") is OutcomeKind.UPDATED
    after = {line["label"]: line for line in (await shared.netsuite.read("contact", there))["addressBook"]}
    assert after["Yard"] == before["Yard"]
    [changed] = [line for label, line in after.items() if label != "Yard"]
    assert changed["addressBookAddress"]["city"] == "Potsdam"
    assert changed["defaultBilling"]
