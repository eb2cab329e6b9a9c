"""The dashboard in a real Chromium: every page of the navigation, and some others, in both schemes, wide and narrow,
empty and with 100,000 contacts, for people who see, who use the keyboard alone, and without scripts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.seeing import Open, Scheme, findings, fits
from tests.dashboard.rig import PASSWORD
from tests.dashboard.served import Site, site
from tests.dashboard.store import fill

from twinbook.store.database import Database
from twinbook.web.rendering import NAVIGATION

FULL = 100_000
PATHS = [*(place.path for place in NAVIGATION), "/account", "/match/start"]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    database = Database.open_memory()
    fill(database, FULL, now=time.time())
    with site(database, tmp_path_factory.mktemp("full")) as served:
        yield served
    database.close()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    database = Database.open_memory()
    with site(database, tmp_path_factory.mktemp("empty")) as served:
        yield served
    database.close()


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Site]:
    """A new installation, in which nobody is yet."""
    database = Database.open_memory()
    with site(database, tmp_path) as served:
        yield served
    database.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("path", PATHS)
def test_pages_with_many_contacts(full: Site, open_page: Open, path: str, width: int, scheme: Scheme) -> None:
    page = open_page(full, path, width=width, scheme=scheme)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert findings(page) == []
    assert fits(page)


@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("path", PATHS)
def test_pages_without_contacts(empty: Site, open_page: Open, path: str, width: int) -> None:
    page = open_page(empty, path, width=width)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert findings(page) == []
    assert fits(page)


@pytest.mark.parametrize("path", PATHS)
def test_pages_without_scripts(full: Site, open_page: Open, path: str) -> None:
    page = open_page(full, path, scripts=False, width=400)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.get_by_text("Menu").click()
    for place in NAVIGATION:
        expect(page.get_by_role("link", name=place.label, exact=True).first).to_be_visible()


def test_the_first_administrator_comes_in_by_the_printed_link(fresh: Site, open_page: Open) -> None:
    assert fresh.set_up_url is not None
    page = open_page(fresh, fresh.set_up_url.removeprefix(fresh.url), signed_in=False)
    assert findings(page) == []
    page.get_by_label("Login").fill("ada")
    page.get_by_label("Your name").fill("Ada Lovelace")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Set up").click()
    expect(page.get_by_text("Twinbook is yours")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert findings(page) == []
    page.get_by_label("Login").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Overview", exact=True)).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_contacts_are_searched_filtered_and_paged(full: Site, open_page: Open, scripts: bool) -> None:
    page = open_page(full, "/contacts", scripts=scripts)
    rows = page.locator("table.list tbody tr")
    expect(rows).to_have_count(50)
    page.get_by_role("link", name="failed").click()
    expect(page).to_have_url(f"{full.url}/contacts?state=failed")
    expect(rows.first.get_by_text("failed")).to_be_visible()
    first = rows.first.inner_text()
    page.get_by_role("link", name="Next").click()
    expect(rows.first).not_to_have_text(first)
    page.get_by_label("Search").fill("lovelace")
    page.get_by_label("Search").press("Enter")
    expect(rows.first).to_contain_text("Lovelace")
    expect(page.get_by_label("Search")).to_have_value("lovelace")
    assert "lovelace" not in page.url
    page.go_back()
    expect(page.get_by_label("Search")).to_have_value("")


def test_contacts_by_keyboard_alone(full: Site, open_page: Open) -> None:
    page = open_page(full, "/contacts")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "text":
            break
    page.keyboard.type("hopper")
    expect(page.locator("table.list tbody tr").first).to_contain_text("Hopper")
    expect(page.get_by_label("Search")).to_be_focused()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"


def test_news_appear_by_themselves(empty: Site, open_page: Open) -> None:
    page = open_page(empty, "/contacts")
    expect(page.get_by_text("No contacts yet")).to_be_visible()
    fill(empty.database, 20, now=time.time())
    expect(page.locator("table.list tbody tr")).to_have_count(20, timeout=20_000)
