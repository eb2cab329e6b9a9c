"""The documentation says what the code does: generated parts are fresh, and what it names exists."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from twinbook.cli.group import COMMANDS
from twinbook.domain.reasons import CATALOGUE, Reason
from twinbook.settings import Settings
from twinbook.settings.options import find, tables

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
TEXTS = [*PAGES, ROOT / "README.md"]
OPTIONS = {option.name for table in tables(Settings) for option in table.options}


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_docs", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def name(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_generated_parts_are_fresh(generator: ModuleType, page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert generator.regenerated(text) == text, "run: make docs"


def test_every_setting_is_documented() -> None:
    text = (DOCS / "settings.md").read_text(encoding="utf-8")
    assert [option for option in sorted(OPTIONS) if f"`{option}`" not in text] == []


def test_every_setting_says_what_it_is_for() -> None:
    undocumented = [
        (*table.path, option.name)
        for table in tables(Settings)
        for option in table.options
        if not option.doc.endswith((".", "?"))
    ]
    assert undocumented == []


def test_every_reason_is_documented_with_its_remedy() -> None:
    text = (DOCS / "reasons.md").read_text(encoding="utf-8")
    assert [reason for reason in Reason if f"`{reason}`" not in text] == []
    assert set(CATALOGUE) == set(Reason)


@pytest.mark.parametrize("page", TEXTS, ids=name)
def test_reason_codes_that_are_named_exist(page: Path) -> None:
    named = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", page.read_text(encoding="utf-8")))
    assert named - set(Reason) == set()


@pytest.mark.parametrize("page", TEXTS, ids=name)
def test_settings_that_are_named_exist(page: Path) -> None:
    """`key = value` in running text is a setting."""
    named = set(re.findall(r"`(?:\w+\.)*(\w+) = [^`]+`", page.read_text(encoding="utf-8")))
    assert named - OPTIONS == set()


def test_settings_that_remedies_name_exist() -> None:
    named = {key for item in CATALOGUE.values() for key in re.findall(r"([a-z_]+) = ", item.remedy)}
    assert named - OPTIONS == set()


@pytest.mark.parametrize("page", TEXTS, ids=name)
def test_examples_of_settings_are_settings(page: Path) -> None:
    for example in re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        for place in _places(tomllib.loads(example)):
            assert find(Settings, place) is not None, place


def _places(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _places(inner, (*place, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _places(inner, (*place, index))
    else:
        yield place


@pytest.mark.parametrize("page", TEXTS, ids=name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        file, _, anchor = target.partition("#")
        goal = page.parent / file if file else page
        assert goal.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", goal.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {_anchor(heading) for heading in headings}, target


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_page_stands_in_the_navigation_of_the_site() -> None:
    site = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))
    shown = re.findall(r"[\w-]+\.md", str(site["project"]["nav"]))
    assert sorted(shown) == sorted(page.name for page in PAGES)


def test_every_command_is_documented() -> None:
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    assert [command for command in COMMANDS if f"twinbook {command}" not in text] == []


def test_the_changelog_knows_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_row_of_the_specification_is_proved_by_a_scenario_test(generator: ModuleType) -> None:
    named = {name for rows in generator.rows().values() for name in rows}
    proved = set(generator.proofs())
    assert (sorted(named - proved), sorted(proved - named)) == ([], [])
