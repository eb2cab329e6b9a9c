"""The set-up in a real Chromium: from an empty file to what is missing, without scripts; in order wide and narrow."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.seeing import Open, Scheme, findings, fits
from tests.dashboard.served import Site, site

from twinbook.doctor import Check, Page, Verdict
from twinbook.install import System
from twinbook.settings import ConnectionSettings
from twinbook.store.database import Database


async def something_missing(_settings: ConnectionSettings, _system: System) -> AsyncGenerator[Check]:
    yield Check(Page.SALESFORCE_LOGIN, "salesforce.login", "Salesforce login", Verdict.OK)
    name, remedy = (
        "Salesforce: read Contact",
        "Setup > Permission Sets > Twinbook Integration > Object Settings",
    )
    yield Check(
        Page.SALESFORCE_PACKAGE, "salesforce.read.Contact", name, Verdict.BROKEN, "may not be read", remedy
    )
    name = "Salesforce: fields on Account"
    yield Check(Page.SALESFORCE_PACKAGE, "salesforce.x.Account", name, Verdict.ADVICE, "hidden: Fax", remedy)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Site]:
    database = Database.open_memory()
    with site(database, tmp_path, examine=something_missing) as found:
        yield found
    database.close()


@pytest.mark.parametrize("scripts", [False, True], ids=["no scripts", "scripts"])
def test_from_an_empty_file_to_what_is_missing(
    served: Site, open_page: Open, tmp_path: Path, scripts: bool
) -> None:
    (tmp_path / "twinbook.toml").write_text("[connections.default.salesforce]\n")
    page = open_page(served, "/install", scripts=scripts, width=1400 if scripts else 400)
    page.get_by_role("link", name="Go on with Salesforce").click()
    page.get_by_label("Address of the org").fill("https://acme.my.salesforce.com")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Make key and certificate").click()
    expect(page.get_by_role("link", name="Download the certificate")).to_be_visible()
    for label, value in (("User name of the integration user", "t@acme.example"), ("Consumer key", "3MVG9")):
        page.get_by_label(label).fill(value)
        page.keyboard.press("Enter")
    page.get_by_role("button", name="Check now").click()
    expect(page.locator(".checks li").first).to_contain_text("Object Settings")
    expect(page.locator(".checks li")).to_have_count(3)


@pytest.mark.parametrize(("width", "scheme"), [(1400, "dark"), (400, "light")])
def test_the_steps_are_in_order(served: Site, open_page: Open, width: int, scheme: Scheme) -> None:
    page = open_page(served, "/install/netsuite", width=width, scheme=scheme)
    assert (findings(page), fits(page)) == ([], True)
    page.goto(f"{served.url}/install/salesforce")
    page.get_by_role("button", name="Check now").click()
    expect(page.locator(".checks li")).to_have_count(3)
    assert (findings(page), fits(page)) == ([], True)
    page.goto(f"{served.url}/notifications")
    page.get_by_label("Name").first.fill("On call")
    page.get_by_label("Address of apprise").fill("json://localhost/x")
    page.get_by_role("button", name="Tell them").click()
    assert (findings(page), fits(page)) == ([], True)
    page.get_by_role("link", name="Change On call").click()
    expect(page.get_by_label("Address of apprise")).to_have_value("")
    assert (findings(page), fits(page)) == ([], True)
