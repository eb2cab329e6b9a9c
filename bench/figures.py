"""Figures of a benchmark: printed as tables, written as JSON, and kept in RESULTS.md when asked for."""

from __future__ import annotations

import os
import platform
import re
import resource
import sqlite3
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table as RichTable

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
RECORD = "--record"


@dataclass(frozen=True, slots=True)
class Table:
    """Figures as people read them."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        lines = [self.columns, ("---",) * len(self.columns), *self.rows]
        return f"### {self.title}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"

    def show(self, console: Console) -> None:
        table = RichTable(*self.columns, title=self.title, title_justify="left")
        for row in self.rows:
            table.add_row(*row)
        console.print(table)


def spread(samples: Sequence[float], digits: int = 0) -> str:
    """The median, with the range in brackets: how noisy it is."""
    middle, low, high = statistics.median(samples), min(samples), max(samples)
    return f"{middle:,.{digits}f} ({low:,.{digits}f}-{high:,.{digits}f})"


def publish(name: str, tables: Sequence[Table], samples: object) -> None:
    """Print the tables and write `results/<name>.json`; with `--record` also the part `name` of RESULTS.md and of
    `results.json`, which are committed."""
    console = Console(width=150)
    console.print(machine(), style="dim")
    for table in tables:
        table.show(console)
    results = HERE / "results"
    results.mkdir(exist_ok=True)
    told = {"machine": machine(), "at": time.time(), "tables": [asdict(table) for table in tables]}
    found = orjson.dumps({**told, "samples": samples}, option=orjson.OPT_INDENT_2)
    (results / f"{name}.json").write_bytes(found)
    if RECORD in sys.argv:
        _record(name, "\n".join([machine(), "", *(table.markdown() for table in tables)]))
        _keep(name, told)


def peak_mb() -> float:
    """The most resident memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1_000_000


def machine() -> str:
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} shared cores, load average {load:.1f}; "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    )


def _keep(name: str, told: dict[str, Any]) -> None:
    """Keep the tables in results.json, of which the documentation is made."""
    kept = orjson.loads(RESULTS.read_bytes()) if RESULTS.exists() else {}
    indented = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    RESULTS.write_bytes(orjson.dumps(kept | {name: told}, option=indented))


def _record(name: str, text: str) -> None:
    page = HERE / "RESULTS.md"
    part = re.compile(rf"(<!-- figures: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    page.write_text(
        part.sub(lambda found: found[1] + text + found[2], page.read_text("utf-8")), encoding="utf-8"
    )
