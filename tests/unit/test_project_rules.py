"""The habits that the project promises in CONTRIBUTING.md, where a machine can check them."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
# A migration is a list of tables, frozen on the day it was written.
MIGRATIONS = ROOT / "src" / "twinbook" / "store" / "migrations" / "versions"
MOST_LINES_OF_A_FILE = 500
MOST_LINES_OF_A_FUNCTION = 70
LOCKS = ("requirements.lock", "requirements-dev.lock")

REGISTRIES = re.compile(r"pypi[.]org|pythonhosted[.]org|registry[.]npmjs|deb[.]debian[.]org")
MACHINE_PATHS = re.compile(r"(?<![\w.~-])/(?:work|root|home|Users)/")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def test_files_stay_readable() -> None:
    lines = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {path: count for path, count in lines.items() if count > MOST_LINES_OF_A_FILE} == {}


def test_functions_stay_readable() -> None:
    long = [
        f"{relative(path)}:{node.lineno} {node.name}: {length(node)} lines"
        for path in SOURCES
        if MIGRATIONS not in path.parents
        for node in functions(path)
        if length(node) > MOST_LINES_OF_A_FUNCTION
    ]
    assert long == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        relative(path)
        for path in SOURCES
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_the_import_rules_hold(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    broken = lint_imports(no_cache=True)
    assert not broken, capsys.readouterr().out


@pytest.fixture(scope="module")
def tracked() -> dict[str, str]:
    """The text files under version control; none where the sources were unpacked from an archive."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("no version control here")
    texts: dict[str, str] = {}
    for name in filter(None, listing.stdout.split("\0")):
        try:
            texts[name] = (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            continue
    return texts


@pytest.mark.parametrize("unwanted", [REGISTRIES, MACHINE_PATHS], ids=["registry", "machine path"])
def test_no_file_names_a_package_registry_or_a_path_of_somebody_s_machine(
    tracked: dict[str, str], unwanted: re.Pattern[str]
) -> None:
    named = {name: unwanted.search(text) for name, text in tracked.items()}
    assert {name: found[0] for name, found in named.items() if found} == {}


@pytest.mark.parametrize("name", LOCKS)
def test_the_locks_hold_hashes_and_no_addresses(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    requirements = re.split(r"\n(?=\S)", text.strip())
    assert "://" not in text
    assert [item.split()[0] for item in requirements if "--hash=sha256:" not in item] == []


def test_the_locks_cover_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    used = project["project"]["dependencies"] + project["dependency-groups"]["build"]
    developed = used + project["dependency-groups"]["dev"]
    for name, asked in zip(LOCKS, (used, developed), strict=True):
        text = (ROOT / name).read_text(encoding="utf-8")
        locked = set(re.findall(r"^([\w.-]+)==", text, re.MULTILINE))
        wanted = {re.split(r"[^\w.-]", item)[0].lower().replace("_", "-") for item in asked}
        assert wanted - locked == set(), f"{name}: run make lock"


def test_what_is_used_is_what_was_tested() -> None:
    used, tested = (
        dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))
        for name in LOCKS
    )
    assert used.items() <= tested.items()
