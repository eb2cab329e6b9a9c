"""Several workers on one machine: started, watched, started again, and ended together."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Sequence

import structlog

log = structlog.get_logger()

# A worker ends its calls within 10 s of SIGTERM; then it is killed.
END_SECONDS = 12.0
# Waits before a worker that died is started again; one that lived for a while begins with the first.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
HEALTHY_SECONDS = 60.0
# How long a rolling restart waits for the new worker before it goes on to the next.
READY_SECONDS = 60.0


class Fleet:
    """Runs `command` so many times. Each process says a line on its standard output once it takes part. Its standard
    input is a pipe that nothing is written to: it ends when this process does, even by SIGKILL."""

    def __init__(self, command: Sequence[str], number: int) -> None:
        self._command = command
        self._stopped = asyncio.Event()
        self._seats = [_Seat(number + 1) for number in range(number)]

    async def run(self, stopped: asyncio.Event) -> None:
        """Until told to stop; then all workers end."""
        self._stopped = stopped
        renew = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, renew.set)
        async with asyncio.TaskGroup() as group:
            for seat in self._seats:
                group.create_task(self._keep(seat))
            rolling = group.create_task(self._roll(renew))
            await self._stopped.wait()
            rolling.cancel()

    def kill(self) -> None:
        """End all workers at once."""
        for seat in self._seats:
            if seat.process is not None and seat.process.returncode is None:
                seat.process.kill()

    async def _keep(self, seat: _Seat) -> None:
        """One seat is always taken, until all is over."""
        loop, pause = asyncio.get_running_loop(), FIRST_PAUSE
        while not self._stopped.is_set():
            began = loop.time()
            process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
            log.info("worker-started", worker=seat.number, pid=process.pid)
            try:
                asked = await self._watch(process, seat)
            finally:
                await _end(process)
            if asked or self._stopped.is_set():
                pause = FIRST_PAUSE
                continue
            pause = FIRST_PAUSE if loop.time() - began > HEALTHY_SECONDS else min(pause * 2, LONGEST_PAUSE)
            log.warning("worker-died", worker=seat.number, code=process.returncode, again_in=pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), pause)

    async def _watch(self, process: asyncio.subprocess.Process, seat: _Seat) -> bool:
        """Until the process ends, or is to be ended; whether the latter."""
        seat.begin(process)
        ends = [
            asyncio.ensure_future(item) for item in (process.wait(), self._stopped.wait(), seat.leave.wait())
        ]
        hearing = asyncio.create_task(_hear(process, seat))
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*ends, hearing):
                task.cancel()
            await asyncio.gather(*ends, hearing, return_exceptions=True)
        return seat.leave.is_set()

    async def _roll(self, renew: asyncio.Event) -> None:
        """Start all workers anew, one after the other, whenever asked to: the others work on meanwhile."""
        while True:
            await renew.wait()
            renew.clear()
            for seat in self._seats:
                seat.leave.set()
                await seat.succeeded.wait()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(seat.ready.wait(), READY_SECONDS)
            log.info("workers-renewed", number=len(self._seats))


class _Seat:
    """The place of one worker. The events are new for each process that takes it: it is ready, it is to leave, another
    one has taken its place."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.succeeded = asyncio.Event()
        self.begin(None)

    def begin(self, process: asyncio.subprocess.Process | None) -> None:
        self.process = process
        former, self.succeeded = self.succeeded, asyncio.Event()
        former.set()
        self.ready = asyncio.Event()
        self.leave = asyncio.Event()


async def _hear(process: asyncio.subprocess.Process, seat: _Seat) -> None:
    assert process.stdout is not None  # noqa: S101 - asked for above
    if await process.stdout.readline():
        seat.ready.set()


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), END_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
