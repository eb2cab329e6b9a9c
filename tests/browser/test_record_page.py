"""The page of one record in a real Chromium, over two systems in memory: schemes, widths, axe, keyboard, no scripts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.seeing import Open, findings, fits
from tests.dashboard.connected import ada_in_conflict, desk_apart
from tests.dashboard.served import Site, site

from twinbook.domain.records import Side


@pytest.fixture
def conflict(tmp_path: Path) -> Iterator[tuple[Site, str]]:
    """A site, and the page of Ada, about whom both systems disagree."""
    with (
        desk_apart(tmp_path, ada_in_conflict) as (made, (here, _)),
        site(made.w.store.database, tmp_path, live=made.live) as served,
    ):
        yield served, f"/contacts/{Side.SALESFORCE}/{here}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
def test_the_page_and_its_acts(conflict: tuple[Site, str], open_page: Open, width: int, scheme: str) -> None:
    served, path = conflict
    page = open_page(served, path, width=width, scheme=scheme)
    undo = page.get_by_role("link", name="Undo this").last.get_attribute("href")
    for place in (path, undo, *(path + tail for tail in ("/push", "/resolve", "/choose", "/leave-out"))):
        page.goto(served.url + str(place))
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert findings(page) == [], place
        assert fits(page), place


def test_a_conflict_is_resolved_without_scripts(conflict: tuple[Site, str], open_page: Open) -> None:
    served, path = conflict
    page = open_page(served, path, scripts=False, width=400)
    page.get_by_role("link", name="Resolve the conflict").click()
    page.get_by_label("Another value, for both sides").first.check()
    page.get_by_label("The other value").first.fill("Duchess")
    page.get_by_label("NetSuite's value").last.check()
    page.get_by_role("button", name="Decide").click()
    expect(page.get_by_text("Decided. It is carried out at once.")).to_be_visible()
    expect(page.get_by_text("the value 'Duchess'")).to_be_visible()


def test_a_dialog_by_keyboard_alone(conflict: tuple[Site, str], open_page: Open) -> None:
    served, path = conflict
    page = open_page(served, path)
    page.get_by_role("link", name="Sync now").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert findings(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("link", name="Sync now").focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Sync now").press("Enter")
    expect(page.get_by_text("It is looked at now.")).to_be_visible()
