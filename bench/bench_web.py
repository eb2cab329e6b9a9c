"""The dashboard over a large store: time on the server, weight of a page, first paint in Chromium.

    python bench/bench_web.py [contacts]        1,000,000 unless said otherwise; making them takes some minutes

The store stays in bench/results/web.db, so that a second run is quick.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.dashboard.browsing import CHROMIUM, FLAGS
from tests.dashboard.served import Site, site
from tests.dashboard.store import fill

from twinbook.store.database import Database, Role

RESULTS = Path(__file__).parent / "results"
ROUNDS = 15
PAINTS = 7
PAGES = {
    "overview": "/overview",
    "contacts, latest": "/contacts",
    "contacts, by name": "/contacts?sort=name",
    "contacts, one state": "/contacts?state=review",
    "contacts, one reason": "/contacts?reason=ACCOUNT_NOT_SYNCED&sort=name",
}
SEARCHES = ("lovelace", "grace hop", "ada.lovelace12", "003gK0000123456QAA", "nobody of this name")

FIRST_PAINT = """() => new Promise(done => new PerformanceObserver(list => {
    for (const entry of list.getEntries()) if (entry.name === 'first-contentful-paint') done(entry.startTime);
}).observe({type: 'paint', buffered: true}))"""


def main(contacts: int) -> None:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"web-{contacts}.db"
    fresh = not path.exists()
    database = Database.open_file(path, Role.OWNER)
    if fresh:
        began = time.monotonic()
        fill(database, contacts, now=time.time())
        print(f"made {contacts:,} contacts in {time.monotonic() - began:.0f} s")
    print(f"store: {path.stat().st_size / 1e6:.0f} MB")
    with tempfile.TemporaryDirectory() as directory, site(database, Path(directory)) as served:
        _server_times(served)
        _paints(served)
    database.close()


def _server_times(served: Site) -> None:
    cookie = served.cookie()
    with httpx2.Client(base_url=served.url, cookies={cookie["name"]: cookie["value"]}, timeout=60) as client:
        print(f"{'page':<28}{'first':>9}{'median':>9}{'worst':>9}{'weight':>9}{'packed':>9}")
        for name, path in PAGES.items():
            _time(client, name, path)
        deep = _deep(client)
        _time(client, "contacts, 20 pages on", deep)
        for text in SEARCHES:
            sealed = client.post("/contacts/search", data={"text": text}).headers["location"]
            _time(client, f"search {text}", sealed)


def _time(client: httpx2.Client, name: str, path: str) -> None:
    took, packed = [], 0
    for _ in range(ROUNDS):
        began = time.perf_counter()
        answer = client.get(path)
        took.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, (path, answer.status_code)
        packed = answer.num_bytes_downloaded
    rest = sorted(took[1:])
    row = (f"{took[0]:.0f} ms", f"{statistics.median(rest):.0f} ms", f"{rest[-1]:.0f} ms")
    weights = (f"{len(answer.content) / 1000:.1f} kB", f"{packed / 1000:.1f} kB")
    print(f"{name:<28}" + "".join(f"{cell:>9}" for cell in (*row, *weights)))


def _deep(client: httpx2.Client) -> str:
    path = "/contacts"
    for _ in range(20):
        page = client.get(path).text
        path = page.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0].replace("&amp;", "&")
    return path


def _paints(served: Site) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for name, path in PAGES.items():
            paints, transfer, requests = [], 0, 0
            for _ in range(PAINTS):
                context = browser.new_context(viewport={"width": 1400, "height": 900})
                context.add_cookies([served.cookie()])
                page = context.new_page()
                page.goto(served.url + path)
                paints.append(page.evaluate(FIRST_PAINT))
                sizes = page.evaluate(
                    "performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))"
                    ".map(entry => [entry.name, entry.transferSize])"
                )
                own = [size for url, size in sizes if urlsplit(url).path != "/live"]
                transfer, requests = sum(own), len(own)
                context.close()
            print(
                f"{name:<28} first paint, cold cache: median {statistics.median(paints):.0f} ms, worst "
                f"{max(paints):.0f} ms; {requests} requests, {transfer / 1000:.1f} kB over the wire"
            )
        browser.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
