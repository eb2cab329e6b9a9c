"""Profiles of the work that is done most, as text in `profiles/`: where Twinbook's processor time goes.

A first sync of 1,000 contacts over each transport, and a second one that finds nothing to do, against the sandbox
without latency. The profiler itself makes everything two to three times slower: shares count, not seconds.

    .venv/bin/python bench/costs.py
"""

from __future__ import annotations

import asyncio
import io
import pstats
import re
import sys
from pathlib import Path

from figures import HERE, machine
from stage import ROOT, Stage, stage
from twinbook.packaged import folder

CONTACTS = 1_000
PER_ACCOUNT = 5
SHOWN = 30
WORK = ("first", "unchanged")


async def main() -> None:
    for transport in ("rest", "restlet"):
        async with stage() as ready:
            if transport == "restlet":
                await ready.netsuite.act("deploy_project", path=str(folder("netsuite")))
            await ready.people(CONTACTS, accounts=CONTACTS // PER_ACCOUNT)
            for work in WORK:
                await _profile(ready, transport, work)


async def _profile(ready: Stage, transport: str, work: str) -> None:
    print(f"{work} sync over {transport} …", file=sys.stderr)
    found = ready.directory / "profile"
    config = str(ready.directory / "twinbook.toml")
    command = [sys.executable, "-m", "cProfile", "-o", str(found), "-m", "twinbook.cli", "-c", config]
    settings = {"TWINBOOK_CONNECTIONS__DEFAULT__NETSUITE__TRANSPORT": transport}
    await ready.ended([*command, "backfill", "--json"], settings=settings)
    name = f"backfill-{work}-{transport}.txt"
    (HERE / "profiles").mkdir(exist_ok=True)
    (HERE / "profiles" / name).write_text(
        _told(found, f"{work} sync of {CONTACTS:,} contacts over {transport}")
    )


def _told(found: Path, title: str) -> str:
    """The functions with the most time of their own, then those with the most time in all; no path of this machine."""
    out = io.StringIO()
    stats = pstats.Stats(str(found), stream=out)
    for order in ("tottime", "cumulative"):
        stats.sort_stats(order).print_stats(SHOWN)
    text = re.sub(rf"{re.escape(str(ROOT))}/|\S*/site-packages/|\S*/lib/python3\.\d+/", "", out.getvalue())
    lines = [line.rstrip() for line in text.splitlines() if str(found) not in line]
    return f"{title}; {machine()}\n" + "\n".join(lines).strip() + "\n"


if __name__ == "__main__":
    asyncio.run(main())
