"""Every command in the documentation is one: those of Twinbook are read by its own parser, targets of make exist, and
what else stands there is run, or is listed with the reason why it is not."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from twinbook.cli.group import twinbook

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
GENERATED = re.compile(r"<!-- generated: .*?<!-- end -->", re.DOTALL)
INLINE = re.compile(r"`((?:twinbook|make|kill|pg_\w+|podman|journalctl|openssl|curl) [^`]+)`")
PROGRAMS = r"twinbook|make|pip|npm|cd|sf|suitecloud|openssl|chmod|curl|TWINBOOK_\w+=\S+ make"

NOT_RUN = {
    "pip": "installs into the machine; `make package` does it in an empty environment in every run of .ci/run",
    "npm": "installs the vendor's command line, which needs a JDK",
    "cd": "changes the folder for the commands after it; that it exists is tested below",
    "sf": "needs a real org; the package is deployed into the sandbox by its tests",
    "suitecloud": "needs a real account; the project is deployed into the sandbox by its tests",
    "chmod": "changes nothing but the mode of a file that the command before it has made",
    "curl": "asks a running dashboard or sandbox; their routes are tested over HTTP",
    "kill": "sends a signal to a fleet of workers; the tests of workers do it",
    "pg_dump": "belongs to PostgreSQL",
    "pg_restore": "belongs to PostgreSQL",
    "podman": "no container engine is at hand where Twinbook is built",
    "journalctl": "reads the journal of a machine with systemd",
}
RUN = {"openssl"}


def commands() -> Iterator[tuple[str, str, bool]]:
    """Page, command, and whether it stands in running text, where a command may be named without what follows it."""
    for page in PAGES:
        text = GENERATED.sub("", page.read_text(encoding="utf-8"))
        for language, block in BLOCK.findall(text):
            for line in block.splitlines() if language in ("", "console", "sh", "bash") else ():
                prompt, stripped = line.strip().startswith("$ "), line.strip().removeprefix("$ ")
                if prompt or (language != "console" and re.match(rf"(?:{PROGRAMS}) ", stripped)):
                    yield page.name, stripped, False
        yield from ((page.name, found, True) for found in INLINE.findall(BLOCK.sub("", text)))


FOUND = list(dict.fromkeys(commands()))


def words(command: str) -> list[str]:
    """The words of a command, without a comment; what a reader fills in is filled in."""
    filled = re.sub(r"<[^>]+>", "word", command.removesuffix(" &"))
    found = shlex.split(filled, comments=True)
    if found and found[-1] == "&":
        found.pop()
    while "=" in found[0]:
        found.pop(0)
    return found


def of(program: str) -> list[str]:
    return [command for _, command, _ in FOUND if words(command)[0] == program]


def parsed(command: click.Command, name: str, arguments: list[str], parent: click.Context | None) -> None:
    """Read arguments as the command line does, down to the last command; nothing is run."""
    context = command.make_context(name, list(arguments), parent=parent)
    if isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        if not rest and command.invoke_without_command:
            return
        inner_name, inner, left = command.resolve_command(context, rest)
        assert inner is not None and inner_name is not None
        parsed(inner, inner_name, left, context)


@pytest.mark.parametrize(
    ("page", "command", "named"), [found for found in FOUND if words(found[1])[0] == "twinbook"]
)
def test_a_command_of_twinbook_is_read_by_its_parser(
    page: str, command: str, named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = words(command)[1:]
    for word in arguments:
        if word.endswith((".toml", ".csv", ".db")):
            (tmp_path / word).touch()
    try:
        parsed(twinbook, "twinbook", arguments, None)
    except click.exceptions.NoArgsIsHelpError:
        assert len(arguments) == 1, command
    except (click.MissingParameter, click.BadOptionUsage):
        assert named, "a command to copy is whole"


def test_targets_of_make_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = {words(command)[1] for command in of("make") if len(words(command)) > 1}
    assert named
    assert named - targets == set()


def test_folders_exist_that_are_changed_to() -> None:
    assert [command for command in of("cd") if not (ROOT / words(command)[1]).is_dir()] == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed here")
def test_openssl_makes_what_is_promised(tmp_path: Path) -> None:
    pairs = [command for command in of("openssl") if " req " in command]
    assert pairs
    for command in pairs:
        done = subprocess.run(words(command), cwd=tmp_path, capture_output=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        key = tmp_path / words(command)[words(command).index("-keyout") + 1]
        assert "PRIVATE KEY" in key.read_text(encoding="ascii")


def test_every_other_command_is_run_or_says_why_not() -> None:
    programs = {words(command)[0] for _, command, _ in FOUND}
    assert programs - {"twinbook", "make", *RUN} - NOT_RUN.keys() == set()
    assert NOT_RUN.keys() - programs == set(), "a reason that nobody needs any more"
