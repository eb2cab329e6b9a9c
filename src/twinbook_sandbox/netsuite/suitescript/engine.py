"""Runs scripts in worker processes: what they ask of the account is answered here, their units and time are limited."""

import asyncio
import struct
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import Awaitable, Mapping
from typing import Any, Protocol

import orjson

from twinbook_sandbox.netsuite.suitescript.governance import Limits, Meter

WORKER = "twinbook_sandbox.netsuite.suitescript.worker"
USAGE_EXCEEDED = "Script Execution Usage Limit Exceeded"
_MOST_IDLE = 5


class ScriptError(Exception):
    """A script ended with an error. ``thrown``: by the script or a module, with a name that callers may see."""

    def __init__(self, name: str, message: str, *, thrown: bool = False, stack: str = "") -> None:
        super().__init__(f"{name}: {message}")
        self.name = name
        self.message = message
        self.thrown = thrown
        self.stack = stack


class Host(Protocol):
    """Carries out what the N/* modules ask for. Raises :class:`ScriptError` to be thrown inside the script."""

    def answer(self, operation: str, argument: Any, meter: Meter, /) -> Awaitable[Any]:
        """The JSON value of an operation."""


class Engine:
    """Worker processes, kept for the next run; a script that takes too long ends with its worker."""

    def __init__(self) -> None:
        self._idle: list[Process] = []
        self.calls: Counter[str] = Counter()
        """How often each operation of the N/* modules was called."""

    async def run(self, files: Mapping[str, str], enter: list[str], host: Host, limits: Limits) -> Any:
        """Run a function of the runtime; its JSON result. Raises :class:`ScriptError`."""
        worker = await self._worker()
        meter = Meter(limits.units)
        try:
            async with asyncio.timeout(limits.seconds):
                told = await self._spoken(
                    worker, {"files": files, "enter": enter, "memory": limits.memory}, host, meter
                )
        except TimeoutError:
            await _ended(worker)
            raise ScriptError(
                "SSS_TIME_LIMIT_EXCEEDED", "Script Execution Time Exceeded.", thrown=True
            ) from None
        except BaseException:
            await _ended(worker)
            raise
        if len(self._idle) < _MOST_IDLE:
            self._idle.append(worker)
        else:
            await _ended(worker)
        return _result(told, meter)

    async def _spoken(self, worker: Process, run: dict[str, Any], host: Host, meter: Meter) -> dict[str, Any]:
        await _send(worker, run)
        while True:
            message = await _received(worker)
            if "call" not in message:
                return message
            operation = message["call"]
            self.calls[operation] += 1
            answer = await _answered(operation, orjson.loads(message["argument"]), host, meter)
            await _send(worker, {"answer": orjson.dumps(answer).decode()})

    async def stop(self) -> None:
        """End the workers."""
        idle, self._idle = self._idle, []
        for worker in idle:
            await _ended(worker)

    async def _worker(self) -> Process:
        while self._idle:
            worker = self._idle.pop()
            if worker.returncode is None:
                return worker
        return await asyncio.create_subprocess_exec(sys.executable, "-m", WORKER, stdin=PIPE, stdout=PIPE)


async def _answered(operation: str, argument: Any, host: Host, meter: Meter) -> dict[str, Any]:
    try:
        if not meter.take(operation):
            raise ScriptError("SSS_USAGE_LIMIT_EXCEEDED", USAGE_EXCEEDED)
        return {"value": await host.answer(operation, argument, meter)}
    except ScriptError as error:
        return {"error": {"name": error.name, "message": error.message}}


async def _send(worker: Process, message: Any) -> None:
    assert worker.stdin is not None  # noqa: S101 - made with a pipe
    body = orjson.dumps(message)
    worker.stdin.write(struct.pack(">I", len(body)) + body)
    await worker.stdin.drain()


async def _received(worker: Process) -> dict[str, Any]:
    assert worker.stdout is not None  # noqa: S101 - made with a pipe
    try:
        (length,) = struct.unpack(">I", await worker.stdout.readexactly(4))
        message: dict[str, Any] = orjson.loads(await worker.stdout.readexactly(length))
    except asyncio.IncompleteReadError:
        raise ScriptError("UNEXPECTED_ERROR", "The script ended without an answer.") from None
    return message


async def _ended(worker: Process) -> None:
    if worker.returncode is None:
        worker.kill()
    await worker.wait()


def _result(told: Mapping[str, Any], meter: Meter) -> Any:
    # A script cannot catch that its units are used up: whatever it made of it does not count.
    if meter.exhausted:
        raise ScriptError("SSS_USAGE_LIMIT_EXCEEDED", USAGE_EXCEEDED, thrown=True)
    if "crashed" in told:
        raise ScriptError("UNEXPECTED_ERROR", str(told["crashed"]).partition("\n")[0])
    if not told["answered"]:
        raise ScriptError("UNEXPECTED_ERROR", "A promise of the script was never settled.")
    answered = orjson.loads(told["answered"])
    if "error" in answered:
        error = answered["error"]
        raise ScriptError(error["name"], error["message"], thrown=error["thrown"], stack=error["stack"])
    return answered["value"]
