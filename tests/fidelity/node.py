"""Runs the scripts of this directory: clients written by others, in Node, against a sandbox on real ports."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest

HERE = Path(__file__).parent
TIMEOUT_SECONDS = 60.0

needs_node = pytest.mark.skipif(
    shutil.which("node") is None or not (HERE / "node_modules" / ".ready").exists(),
    reason="the Node packages are not installed: make node",
)


class Refused(Exception):
    """The client gave up on a case that should have worked."""


class Answers:
    """What a script found, by case."""

    def __init__(self, results: dict[str, dict[str, Any]]) -> None:
        self._results = results

    def __getitem__(self, case: str) -> Any:
        """What the case returned. Raises `Refused` with the client's own error if it did not end well."""
        result = self._results[case]
        if "error" in result:
            raise Refused(f"{case}: {result['error']}")
        return result["value"]


async def judged(script: str, order: dict[str, Any]) -> Answers:
    """Run a script with an order. Raises `AssertionError` with its error output if it ends badly."""
    trusted = order.get("certificate")
    process = await asyncio.create_subprocess_exec(
        "node",
        script,
        cwd=HERE,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **({"NODE_EXTRA_CA_CERTS": trusted} if trusted else {})},
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(orjson.dumps(order)), TIMEOUT_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, err.decode()
    return Answers(orjson.loads(out))
