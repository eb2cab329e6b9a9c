"""Looking at pages of the dashboard: what axe finds, and whether they fit their window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

Scheme = Literal["light", "dark"]
Open = Callable[..., Page]


def findings(page: Page) -> list[str]:
    """What axe finds that is serious, as text."""
    return [
        f"{found['id']}: {found['help']} {[node['target'] for node in found['nodes']][:3]}"
        for found in Axe().run(page).response["violations"]
        if found["impact"] in ("serious", "critical")
    ]


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))
