"""The process in which scripts run, one after the other, each in a JavaScript context of its own.

A process of its own, because a script that never ends can be stopped in no other way. It speaks with the sandbox in
frames over its pipes: four bytes of length, then JSON. The sandbox sends a run; the worker answers with a call of the
host, which the sandbox answers, or with the end of the run. Kept free of other imports: it starts in a moment.
"""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path
from typing import Any, BinaryIO

import quickjs

_JOBS = 10_000
"""How many steps of promises are made before they count as hanging."""


def read(stream: BinaryIO) -> Any:
    """The next message; EOFError at the end."""
    head = stream.read(4)
    if len(head) < 4:
        raise EOFError
    return json.loads(stream.read(struct.unpack(">I", head)[0]))


def write(stream: BinaryIO, message: Any) -> None:
    """Send a message."""
    body = json.dumps(message).encode()
    stream.write(struct.pack(">I", len(body)) + body)
    stream.flush()


class Run:
    """One run: {"runtime", "files", "enter": [function, ...arguments], "memory"}."""

    def __init__(self, asked: dict[str, Any], commands: BinaryIO, answers: BinaryIO) -> None:
        self._files = asked["files"]
        self._enter = asked["enter"]
        self._commands = commands
        self._answers = answers
        self._context = quickjs.Context()
        self._context.set_memory_limit(asked["memory"])
        self._context.set_max_stack_size(512 * 1024)
        self._context.add_callable("host", self._host)
        self._context.add_callable("source", self._files.get)
        self._context.eval(asked["runtime"])

    def end(self) -> dict[str, Any]:
        """Run it; {"answered": JSON text} or {"crashed": text}."""
        function, *arguments = self._enter
        try:
            self._context.get(function)(*arguments)
            for _ in range(_JOBS):
                if not self._context.execute_pending_job():
                    break
            return {"answered": self._context.get("answered")}
        except (quickjs.JSException, quickjs.StackOverflow) as problem:
            return {"crashed": str(problem)}

    def _host(self, operation: str, argument: str) -> str:
        write(self._answers, {"call": operation, "argument": argument})
        answer: str = read(self._commands)["answer"]
        return answer


def main() -> None:
    """Serve runs until the sandbox goes away."""
    commands, answers = sys.stdin.buffer, sys.stdout.buffer
    runtime = Path(__file__).with_name("runtime.js").read_text(encoding="utf-8")
    while True:
        try:
            asked = read(commands)
            write(answers, Run({**asked, "runtime": runtime}, commands, answers).end())
        except (EOFError, BrokenPipeError):
            return


if __name__ == "__main__":
    main()
