"""Screenshots of every page for docs/screenshots: `make screenshots`. Light and dark, wide and narrow.

Each page that stands in the navigation is shown over a store of some thousand contacts; ARGS names a folder and a size
to look at others, such as an empty store: `make screenshots ARGS="shots 0"`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from tests.dashboard.browsing import CHROMIUM, FLAGS
from tests.dashboard.connected import ada_in_conflict, desk_apart
from tests.dashboard.served import Site, site
from tests.dashboard.store import FAMILY, GIVEN, fill
from tests.memory.world import World

from twinbook.domain.ports import Allowance
from twinbook.domain.records import Side
from twinbook.engine.care import backfilling
from twinbook.engine.connection import ACCOUNTS, looked_through
from twinbook.store import conditions, processes
from twinbook.store.database import Database, Tx
from twinbook.store.processes import Process
from twinbook.web.rendering import NAVIGATION

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
CONTACTS = 5000
WIDTHS = {"wide": 1400, "narrow": 400}
HEIGHT = 900
# Beside those of the navigation: for somebody who is signed in, and for nobody.
FURTHER_PAGES = {"install-salesforce": "/install/salesforce"}
OTHER_PAGES = {"sign-in": "/sign-in"}


def main(folder: Path = FOLDER, contacts: int = CONTACTS) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    database = Database.open_memory()
    fill(database, contacts, now=time.time())
    database.run_now("default", _at_work)
    with (
        tempfile.TemporaryDirectory() as directory,
        site(database, Path(directory)) as served,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        pages = {place.path.strip("/").replace("/", "-"): place.path for place in NAVIGATION}
        # The back-fill is worth looking at with a preview: see below.
        pages.pop("match", None)
        for name, path in (pages | FURTHER_PAGES).items():
            _shoot(browser, served, folder, name, path, signed_in=True)
        for name, path in OTHER_PAGES.items():
            _shoot(browser, served, folder, name, path, signed_in=False)
        browser.close()
    database.close()
    _shoot_record(folder)
    _shoot_match(folder)


def _at_work(tx: Tx) -> None:
    """A process that works while the pictures are taken, and what it was told of budgets."""
    now = time.time()
    processes.sign(tx, Process("twinbook:1", None, now - 3600, calls=3, calls_limit=4), now=now + 600)
    told = [Allowance("DailyApiRequests", 21_400, 100_000), Allowance("DailyBulkV2QueryJobs", 2, 10_000)]
    conditions.allow(tx, told, now=now)


def _shoot_record(folder: Path) -> None:
    """The page of a contact about whom both systems disagree."""
    with (
        tempfile.TemporaryDirectory() as directory,
        desk_apart(Path(directory), ada_in_conflict) as (made, (here, _)),
        site(made.w.store.database, Path(directory), live=made.live) as served,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        _shoot(browser, served, folder, "contact", f"/contacts/{Side.SALESFORCE}/{here}", signed_in=True)
        browser.close()


async def _a_first_sync(w: World) -> None:
    """Contacts of both sides are to be matched, some of whom a person has to decide about; a back-fill is paused."""
    account, customer = w.linked_account()
    for number, (given, family) in enumerate(zip(GIVEN, FAMILY, strict=False)):
        email = f"{given}@acme.example".lower()
        w.salesforce.user_creates_contact(
            AccountId=account, FirstName=given, LastName=family, Email=email if number != 10 else None
        )
        for suffix in ("", " Jr")[: number % 3]:
            w.netsuite.user_creates_contact(
                firstName=given, lastName=family + suffix, email=email, subsidiary="1", company=customer
            )
    await w.store.run(lambda tx: backfilling.begin(tx, (ACCOUNTS,), by="grace", now=w.clock.now()))
    await w.store.run(lambda tx: backfilling.stop(tx, now=w.clock.now() + 75))
    w.clock.at = time.time()
    parts = looked_through(w.connection.contacts.direction)
    await w.store.run(lambda tx: backfilling.begin(tx, parts, by="grace", now=w.clock.now()))
    await w.store.run(backfilling.pause)


def _shoot_match(folder: Path) -> None:
    """The back-fill with a preview."""
    with (
        tempfile.TemporaryDirectory() as directory,
        desk_apart(Path(directory), _a_first_sync) as (made, _),
        site(made.w.store.database, Path(directory), live=made.live) as served,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.context.add_cookies([served.cookie()])  # type: ignore[list-item]
        page.goto(f"{served.url}/match")
        page.get_by_role("button", name="Preview").click()
        page.get_by_role("heading", name="Contacts of Salesforce").wait_for()
        _shoot(browser, served, folder, "match", "/match", signed_in=True)
        browser.close()


def _shoot(browser: Browser, served: Site, folder: Path, name: str, path: str, *, signed_in: bool) -> None:
    """The wide page in both schemes, the narrow one in light."""
    for width, scheme in (("wide", "light"), ("wide", "dark"), ("narrow", "light")):
        context = browser.new_context(
            viewport={"width": WIDTHS[width], "height": HEIGHT},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        if signed_in:
            context.add_cookies([served.cookie()])  # type: ignore[list-item]
        page = context.new_page()
        page.goto(served.url + path)
        page.screenshot(path=folder / f"{name}-{width}-{scheme}.png")
        context.close()


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(*(Path(arguments[0]), int(arguments[1])) if arguments else ())
