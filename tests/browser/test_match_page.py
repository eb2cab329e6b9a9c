"""Match and back-fill, and correcting many, in a real Chromium over two systems in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.seeing import Open, Scheme, findings, fits
from tests.dashboard.connected import desk_apart
from tests.dashboard.served import Site, site
from tests.memory.world import World

from twinbook.domain.records import Entity

SCREENS = pytest.mark.parametrize(
    ("width", "scheme", "scripts"), [(1400, "light", True), (400, "dark", True), (400, "light", False)]
)


async def people(w: World) -> None:
    """Ada, whose email two NetSuite contacts have; and Grace and Alan, whose titles are too long, to whom that is
    known."""
    account, customer = w.linked_account()
    w.configure(netsuite_schema=await w.netsuite.describe(Entity.CONTACT))
    for name in ("Grace", "Alan"):
        w.salesforce.user_creates_contact(
            AccountId=account, LastName=name, Email=f"{name}@acme.example", Title="Principal " * 11 + name
        )
    await w.settle()
    w.salesforce.user_creates_contact(AccountId=account, LastName="Lovelace", Email="ada@acme.example")
    for name in ("Ada", "Augusta"):
        w.netsuite.user_creates_contact(
            firstName=name, lastName="L", email="ada@acme.example", subsidiary="1", company=customer
        )


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Site]:
    with (
        desk_apart(tmp_path, people) as (made, _),
        site(made.w.store.database, tmp_path, live={"default": made.w.connection}) as running,
    ):
        yield running


@SCREENS
def test_from_a_preview_to_a_back_fill(
    served: Site, open_page: Open, width: int, scheme: Scheme, scripts: bool
) -> None:
    page = open_page(served, "/match", width=width, scheme=scheme, scripts=scripts)

    def in_order() -> None:
        assert fits(page)
        assert not scripts or findings(page) == []

    page.get_by_role("button", name="Preview").press("Enter")
    expect(page.get_by_role("heading", name="Contacts of Salesforce", exact=True)).to_be_visible()
    in_order()
    page.get_by_role("link", name="ambiguous").focus()
    page.keyboard.press("Enter")
    choice = page.get_by_label("Decision about Lovelace")
    choice.select_option("new")
    in_order()
    page.get_by_role("button", name="Store these decisions").press("Enter")
    expect(page.get_by_text("1 decision is stored")).to_be_visible()
    page.goto(f"{served.url}/match")
    page.get_by_role("link", name="Back-fill …").press("Enter")
    expect(page.get_by_role("heading", name="Begin a back-fill?")).to_be_visible()
    in_order()
    page.get_by_role("button", name="Begin").press("Enter")
    expect(page.get_by_role("heading", name="Under way")).to_be_visible()
    in_order()
    page.get_by_role("button", name="Pause").press("Enter")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    page.get_by_role("link", name="Stop …").press("Enter")
    page.get_by_role("button", name="Stop it").press("Enter")
    expect(page.get_by_role("heading", name="Earlier back-fills")).to_be_visible()
    in_order()


@SCREENS
def test_one_field_of_many_records(
    served: Site, open_page: Open, width: int, scheme: Scheme, scripts: bool
) -> None:
    page = open_page(served, "/errors/1", width=width, scheme=scheme, scripts=scripts)
    page.get_by_role("link", name="Correct a field of all…").press("Enter")
    page.get_by_label("What to do").select_option("cut")
    page.get_by_label("The text, or the number of characters").fill("9")
    assert fits(page)
    page.get_by_role("button", name="Preview").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Write Title of 2 records?")
    assert fits(page)
    assert not scripts or findings(page) == []
    page.get_by_role("button", name="Write and try again").press("Enter")
    expect(page.get_by_text("of 2 written")).to_be_visible()
    assert not scripts or findings(page) == []
