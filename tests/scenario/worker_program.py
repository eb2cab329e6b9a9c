"""`twinbook worker` with a clock that is off, and with leases that end sooner: both are given by the environment."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import click

from twinbook.cli import worker
from twinbook.engine.clock import SystemClock
from twinbook.logs import configure_logging
from twinbook.settings import load
from twinbook.settings.in_force import InForce

OFF_BY, LEASE = "TEST_CLOCK_OFF_BY", "TEST_LEASE_SECONDS"


class ClockOffBy(SystemClock):
    """The machine's clock, wrong by so many seconds; its monotonic clock is right, as it always is."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def now(self) -> float:
        return time.time() + self._seconds


def main() -> None:
    settings = load(
        Path(sys.argv[2]), {key: value for key, value in os.environ.items() if "TWINBOOK_" in key}
    )
    configure_logging(settings.log)
    worker.SHARED_LEASE_SECONDS = float(os.environ.get(LEASE, worker.SHARED_LEASE_SECONDS))
    clock = ClockOffBy(float(os.environ.get(OFF_BY, "0")))
    asyncio.run(
        worker.keep_in_step(
            InForce(settings), clock, worker.stop_signals(), on_ready=lambda: click.echo(worker.READY)
        )
    )


if __name__ == "__main__":
    main()
