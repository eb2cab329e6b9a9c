"""A sandbox with Twinbook beside it, and a real Chromium, for tests of pages as a person uses them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from tests.browser.seeing import Open, Scheme
from tests.dashboard.browsing import CHROMIUM, FLAGS
from tests.dashboard.served import Site


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo: what the sandbox tells of itself, and the settings file of the Twinbook beside it."""

    described: dict[str, Any]
    config: Path

    def page(self, system: str, path: str = "") -> str:
        return str(self.described[system]["pages_url"]) + path


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    directory = tmp_path_factory.mktemp("demo")
    options = ["--json", "--salesforce-port", "0", "--netsuite-port", "0", "--pubsub-port", "0"]
    size = ["--accounts", "20", "--contacts", "100"]
    sandbox = subprocess.Popen(
        [sys.executable, "-m", "twinbook_sandbox", *options, *size], stdout=subprocess.PIPE, text=True
    )
    assert sandbox.stdout is not None
    described = json.loads(sandbox.stdout.readline())
    config = directory / "twinbook.toml"
    command = [sys.executable, "-m", "twinbook.cli", "--config", str(config)]
    subprocess.run([*command, "init", "--sandbox", described["salesforce"]["base_url"]], check=True)
    environment = {**os.environ, "TWINBOOK_WEB__PORT": "0"}
    running = subprocess.Popen([*command, "run"], stderr=subprocess.PIPE, text=True, env=environment)
    assert running.stderr is not None
    assert any("in step" in line for line in running.stderr), "twinbook run did not start"
    yield Demo(described, config)
    for process in (running, sandbox):
        process.terminate()
    for process in (running, sandbox):
        process.wait(timeout=20)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(params=[400, 1400], ids=["narrow", "wide"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page that fails its test when the browser reports an error."""
    context = browser.new_context(viewport={"width": request.param, "height": 900})
    opened = context.new_page()
    problems: list[str] = []
    opened.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: problems.append(str(error)))
    yield opened
    context.close()
    assert problems == []


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens a page in a window of its own. The test fails when the browser reports an error."""
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def open_it(
        served: Site,
        path: str,
        *,
        width: int = 1400,
        scheme: Scheme = "light",
        scripts: bool = True,
        signed_in: bool = True,
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=scripts
        )
        contexts.append(context)
        if signed_in:
            cookies: list[Any] = [served.cookie()]
            context.add_cookies(cookies)
        page = context.new_page()
        page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(served.url + path)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert problems == []
