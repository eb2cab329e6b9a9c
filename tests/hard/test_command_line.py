"""Naughty texts on the command line: in what it prints, what it is told, and the file that it writes and reads."""

from __future__ import annotations

import asyncio
import csv
import os
import pty
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from tests.hard.naughty import HALF_CHARACTERS, NAUGHTY
from tests.scenario.product import Product

from twinbook.cli.exits import Exit, Problem
from twinbook.cli.group import refuse_unreadable
from twinbook.cli.match import _print
from twinbook.cli.terminal import say, visible
from twinbook.engine.care.deciding import CONTACT, DECISION, Choice
from twinbook.engine.insight.explain import Explainer
from twinbook.engine.insight.matching_report import Match, MatchCandidate, MatchKind
from twinbook.spreadsheets.cells import open_for_writing, safe
from twinbook.spreadsheets.matching import read_choices, write_rows

CLI = Path(__file__).parents[2] / "src" / "twinbook" / "cli"
PRINTS_PROGRAM_OUTPUT = {"terminal.py", "context.py", "init.py"}
"""Where click's own functions are called: `say` itself, JSON answers, and the JSON schema."""
OWN_STYLE = re.compile(r"\x1b\[[0-9;]*m")
OUT_OF_PLACE = re.compile("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
MAGIC = "\x1b]0;owned\x07\x1b[2J\u202eevil\x9b31m"


def on_a_terminal(*arguments: str, env: dict[str, str]) -> tuple[int, str]:
    """Run the command line with a terminal as its output; the exit code and all that reached the terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "twinbook.cli", *arguments]
    with subprocess.Popen(
        command, stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL, env=env
    ) as process:
        os.close(theirs)
        seen = bytearray()
        with os.fdopen(ours, "rb", buffering=0) as terminal:
            try:
                while part := terminal.read(65536):
                    seen += part
            except OSError:
                pass  # the last writer has closed its end
        return process.wait(timeout=30), seen.decode()


async def test_nothing_in_a_record_commands_the_terminal(p: Product) -> None:
    account, _ = await p.linked_account(f"Acme {MAGIC}")
    contact = await p.contact(
        LastName=f"Okafor {MAGIC}", FirstName="[/]", Email="a@b.example", AccountId=account
    )
    env = {**os.environ, **p.environment(), "COLUMNS": "200", "TERM": "xterm-256color"}
    config = ("--config", str(p.config))
    for arguments in (("explain", contact), ("explain", f"{MAGIC}@b.example"), ("match",)):
        code, seen = await asyncio.to_thread(on_a_terminal, *config, *arguments, env=env)
        assert "Traceback" not in seen
        assert code in (Exit.OK, Exit.FOUND), seen
        assert OUT_OF_PLACE.findall(OWN_STYLE.sub("", seen)) == [], arguments
        if arguments[0] == "match" or arguments[1:] == (contact,):
            assert "\\x1b]0;owned\\x07" in seen, "shown as what it is"


@pytest.mark.parametrize("text", [*NAUGHTY, *HALF_CHARACTERS])
def test_what_is_shown_is_harmless_and_loses_nothing(text: str) -> None:
    shown = visible(text)
    assert OUT_OF_PLACE.findall(shown.replace("\t", "")) == []
    shown.encode()
    assert visible(shown) == shown
    if text.isprintable():
        assert shown == text


def test_a_table_takes_no_cell_for_markup(capsys: pytest.CaptureFixture[str]) -> None:
    names = [text for text in NAUGHTY if len(text) < 40]
    rows = [
        Match(MatchKind.CREATE, f"003{n}", name, name, name, None, (), None) for n, name in enumerate(names)
    ]
    _print(Counter({MatchKind.CREATE: len(rows)}), rows, None)
    shown = capsys.readouterr().out
    assert "[/]" in shown
    assert ":smile:" in shown


def test_commands_print_through_one_place() -> None:
    """Use `say` of twinbook.cli.terminal, and `console()` with `visible` cells for tables."""
    files = [path for path in CLI.glob("*.py") if path.name not in PRINTS_PROGRAM_OUTPUT]
    printing = re.compile(r"click\.s?echo\(|(?<!\.)\bprint\(|Console\(\)")
    assert [path.name for path in files if printing.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("word", HALF_CHARACTERS)
def test_words_that_are_no_text_are_refused(word: str) -> None:
    with pytest.raises(Problem, match="no text in UTF-8") as refused:
        refuse_unreadable(["explain", word])
    refused.value.format_message().encode()


def test_bytes_that_are_no_text_end_in_a_message(tmp_path: Path) -> None:
    command = [sys.executable.encode(), b"-m", b"twinbook.cli", b"explain", b"ad\xff@acme.example"]
    found = subprocess.run(command, capture_output=True, cwd=tmp_path, check=False, timeout=60)
    assert found.returncode == Exit.USAGE
    assert b"Traceback" not in found.stderr
    assert b"UTF-8" in found.stderr


WORDS = (
    "001 is no account",
    "²",
    "٣٤٥",
    "9" * 30,
    "' OR Id != '",
    "@",
    "\x1b[2J",
    "003'",
    "%@%.%",
    "x" * 3000,
)


async def test_explain_takes_any_word(p: Product) -> None:
    async with p.connected() as connection:
        for word in WORDS:
            assert await Explainer(connection).explain(word) == [], word


def test_a_matching_file_is_read_back_whatever_its_cells_hold(tmp_path: Path) -> None:
    file = tmp_path / "matches.csv"
    rows = [
        Match(
            MatchKind.AMBIGUOUS,
            f"003{number}",
            text,
            text,
            text,
            None,
            (MatchCandidate("7", text, text, None, inactive=False, linked_to=None),),
            "skip" if number % 2 else None,
        )
        for number, text in enumerate(NAUGHTY)
    ]
    with open_for_writing(file) as out:
        write_rows(out, rows, header=True)
    expected = [Choice(n + 2, f"003{n}", "skip") for n in range(len(NAUGHTY)) if n % 2]
    assert read_choices(file) == (expected, [])
    with file.open(encoding="utf-8-sig", newline="") as read:
        names = [row["name"] for row in csv.DictReader(read)]
    assert names == [safe(text) for text in NAUGHTY]


@pytest.mark.parametrize("text", NAUGHTY)
def test_any_cell_may_be_wrong(tmp_path: Path, text: str) -> None:
    """What people write into the two columns that are read is a choice, a flaw or an unreadable file: no accident."""
    file = tmp_path / "matches.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([(CONTACT, DECISION), (text, text), ("003A", text), (text, "new")])
    choices, flaws = read_choices(file)
    assert len(choices) + len(flaws) <= 3


def test_the_line_that_is_said_has_no_end_of_its_own() -> None:
    runner = CliRunner()

    @click.command()
    def command() -> None:
        say(f"name: {MAGIC}", bold=True)

    assert runner.invoke(command).output == f"name: {visible(MAGIC)}\n"
