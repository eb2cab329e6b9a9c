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
from tests.dashboard.store import fill

from twinbook.domain.records import Side
from twinbook.store.database import Database
from twinbook.web.rendering import NAVIGATION

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
CONTACTS = 5000
WIDTHS = {"wide": 1400, "narrow": 400}
HEIGHT = 900
# Beside those of the navigation.
OTHER_PAGES = {"sign-in": "/sign-in"}


def main(folder: Path = FOLDER, contacts: int = CONTACTS) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    database = Database.open_memory()
    fill(database, contacts, now=time.time())
    with (
        tempfile.TemporaryDirectory() as directory,
        site(database, Path(directory)) as served,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        pages = {place.path.strip("/").replace("/", "-"): place.path for place in NAVIGATION}
        for name, path in pages.items():
            _shoot(browser, served, folder, name, path, signed_in=True)
        for name, path in OTHER_PAGES.items():
            _shoot(browser, served, folder, name, path, signed_in=False)
        browser.close()
    database.close()
    _shoot_record(folder)


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
