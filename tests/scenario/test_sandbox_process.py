"""The sandbox as a process: it says where it is in one line, serves, keeps its state, and stops when told."""

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import grpc.aio

from twinbook_sandbox.client import SandboxClient
from twinbook_sandbox.launch import FILLED_MARK

ANY_PORT = ("--salesforce-port", "0", "--pubsub-port", "0", "--netsuite-port", "0")
SMALL = ("--accounts", "5", "--contacts", "20")


@asynccontextmanager
async def sandbox_process(
    *arguments: str,
) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, Any]]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "twinbook_sandbox",
        "--json",
        *ANY_PORT,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=2**20,
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        if not line:
            assert process.stderr is not None
            raise AssertionError((await process.stderr.read()).decode())
        yield process, json.loads(line)
    finally:
        if process.returncode is None:
            await stopped(process)


async def stopped(process: asyncio.subprocess.Process) -> tuple[float, bytes, bytes]:
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    try:
        out, err = await asyncio.wait_for(process.communicate(), 10)
    except TimeoutError:
        process.kill()
        raise
    return time.monotonic() - started, out, err


async def test_it_prints_one_line_serves_and_stops_cleanly() -> None:
    async with sandbox_process(*SMALL) as (process, told):
        async with SandboxClient(told["salesforce"]["base_url"]) as org:
            assert await org.count("Account") == 5
            assert await org.count("Contact") == 20
            assert await org.describe() == told
        async with SandboxClient(told["netsuite"]["control_url"]) as account:
            assert (await account.health())["site"] == "netsuite"
            assert await account.count("customer") > 0
        async with grpc.aio.insecure_channel(told["pubsub"]["endpoint"]) as channel:
            await asyncio.wait_for(channel.channel_ready(), 10)
        seconds, out, err = await stopped(process)
    assert process.returncode == 0
    assert seconds < 5
    assert out == b""
    assert err == b""


async def test_it_stops_in_time_while_calls_hang_and_connections_are_open() -> None:
    async with sandbox_process(*SMALL) as (process, told):
        base_url = told["salesforce"]["base_url"]
        async with SandboxClient(base_url) as org, aiohttp.ClientSession() as session:
            await org.add_fault("hang", times=None)
            hanging = asyncio.create_task(session.get(base_url + "/services/data/"))
            async with asyncio.timeout(5):
                while not (await org.counters())["in_flight"]:
                    await asyncio.sleep(0.01)
            seconds, _, _ = await stopped(process)
            await asyncio.gather(hanging, return_exceptions=True)
    assert process.returncode == 0
    assert seconds < 5


async def test_a_restart_keeps_data_and_credentials(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with sandbox_process(*SMALL, "--state", str(state)) as (process, before):
        async with SandboxClient(before["salesforce"]["base_url"]) as org:
            id_ = await org.insert("Contact", {"LastName": "Remembered"})
        await stopped(process)
    async with (
        sandbox_process(*SMALL, "--state", str(state)) as (_, after),
        SandboxClient(after["salesforce"]["base_url"]) as org,
    ):
        assert (await org.read("Contact", id_))["LastName"] == "Remembered"
        assert await org.count("Contact") == 21
    for system in ("salesforce", "netsuite"):
        kept, made = (told[system]["credentials"] for told in (before, after))
        for credentials in (kept, made):
            credentials.pop("login_url", None)  # has the port, which the system chose anew
        assert made == kept


async def test_a_data_set_that_was_not_finished_is_written_anew(tmp_path: Path) -> None:
    state = tmp_path / "state"
    async with sandbox_process(*SMALL, "--state", str(state)) as (_, told):
        assert told["salesforce"]["base_url"]
    (state / FILLED_MARK).unlink()
    async with (
        sandbox_process("--accounts", "3", "--contacts", "7", "--state", str(state)) as (_, told),
        SandboxClient(told["salesforce"]["base_url"]) as org,
    ):
        assert (await org.count("Account"), await org.count("Contact")) == (3, 7)


async def test_with_tls_all_three_ports_are_encrypted() -> None:
    async with sandbox_process(*SMALL, "--tls") as (_, told):
        certificate = told["certificate"]
        for system in ("salesforce", "netsuite"):
            assert told[system]["base_url"].startswith("https://")
            async with SandboxClient(told[system]["base_url"], certificate=certificate) as client:
                assert (await client.health())["status"] == "ok"
        trust = grpc.ssl_channel_credentials(await asyncio.to_thread(Path(certificate).read_bytes))
        async with grpc.aio.secure_channel(told["pubsub"]["endpoint"], trust) as channel:
            await asyncio.wait_for(channel.channel_ready(), 10)


async def test_a_taken_port_is_said_without_a_traceback() -> None:
    async with sandbox_process(*SMALL) as (_, told):
        port = told["salesforce"]["base_url"].rpartition(":")[2]
        second = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "twinbook_sandbox",
            "--salesforce-port",
            port,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        _, err = await asyncio.wait_for(second.communicate(), 60)
    assert second.returncode == 1
    assert b"Free the port" in err
    assert b"Traceback" not in err
