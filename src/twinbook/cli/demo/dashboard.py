"""The demo's visitor of the dashboard: comes in by the link, and looks whether the page Contacts shows somebody."""

from __future__ import annotations

import aiohttp

from twinbook.cli.demo.stage import Door

TIMEOUT_SECONDS = 15


async def visit(door: Door, email: str) -> str:
    """What is wrong with the dashboard, "" where it is healthy and its search finds the contact with this email.

    The link works once, so a visit is whole or has failed.
    """
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    # Cookies of a numeric address are kept by a jar that is told so.
    jar = aiohttp.CookieJar(unsafe=True)
    try:
        async with aiohttp.ClientSession(timeout=timeout, cookie_jar=jar) as browser:
            async with browser.get(f"{door.url}/healthz") as answer:
                if answer.status != 200:
                    return f"/healthz answers {answer.status}"
            async with browser.get(door.link) as answer:
                if answer.status != 200:
                    return f"the link answers {answer.status}"
            async with browser.get(f"{door.url}/contacts") as answer:
                return _problem(answer.status, await answer.text(), email)
    except (aiohttp.ClientError, TimeoutError) as failure:
        return f"it does not answer: {type(failure).__name__}"


def _problem(status: int, page: str, email: str) -> str:
    if status != 200:
        return f"the page Contacts answers {status}"
    return "" if email in page else f"the page Contacts does not show {email}"
