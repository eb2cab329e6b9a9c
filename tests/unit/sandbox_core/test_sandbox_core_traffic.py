"""Counters, latency, limits and every effect of a fault, over a real socket."""

import asyncio
import time
from collections import deque
from typing import Any

import aiohttp
import pytest

from twinbook_sandbox.client import SandboxClient

NOTE = {"text": "hello"}


async def post(running: Any, timeout_s: float = 10) -> tuple[int, Any]:
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(running.url + "/notes", json=NOTE) as response,
    ):
        is_json = response.content_type == "application/json"
        return response.status, await (response.json() if is_json else response.text())


async def eventually(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


async def test_status_answers_without_the_handler_and_only_as_often_as_said(
    running: Any, control: SandboxClient
) -> None:
    await control.add_fault("status", times=2, status=503, body="<h1>Down</h1>", method="POST")
    assert await post(running) == (503, "<h1>Down</h1>")
    assert await post(running) == (503, "<h1>Down</h1>")
    assert running.site.notes == {}
    assert (await post(running))[0] == 201
    counted = (await control.counters())["kinds"]["notes.post"]
    assert counted == {"calls": 3, "refused": 2, "statuses": {"503": 2, "201": 1}}


async def test_status_with_a_json_body_and_headers(running: Any, control: SandboxClient) -> None:
    await control.add_fault("status", status=429, body={"slow": True}, headers={"Retry-After": "7"})
    async with aiohttp.ClientSession() as session, session.get(running.url + "/notes") as response:
        assert response.status == 429
        assert response.headers["Retry-After"] == "7"
        assert await response.json() == {"slow": True}


async def test_reject_speaks_the_vendors_language(running: Any, control: SandboxClient) -> None:
    await control.add_fault("reject", status=400, code="UNABLE_TO_LOCK_ROW", message="busy")
    status, body = await post(running)
    assert status == 400
    assert body == [{"errorCode": "UNABLE_TO_LOCK_ROW", "message": "busy", "path": "/notes"}]
    assert running.site.notes == {}


async def test_drop_before_cuts_the_connection_and_commits_nothing(
    running: Any, control: SandboxClient
) -> None:
    await control.add_fault("drop_before")
    with pytest.raises(aiohttp.ClientConnectionError):
        await post(running)
    assert running.site.notes == {}


async def test_drop_after_commit_loses_the_answer_but_not_the_write(
    running: Any, control: SandboxClient
) -> None:
    await control.add_fault("drop_after_commit")
    with pytest.raises(aiohttp.ClientConnectionError):
        await post(running)
    assert len(running.site.notes) == 1
    await eventually(lambda: running.traffic.in_flight == 0)
    assert (await control.counters())["kinds"]["notes.post"]["statuses"] == {"none": 1}


async def test_hang_never_answers_and_ends_when_the_client_leaves(
    running: Any, control: SandboxClient
) -> None:
    await control.add_fault("hang")
    with pytest.raises(TimeoutError):
        await post(running, timeout_s=0.1)
    await eventually(lambda: running.traffic.in_flight == 0)
    assert running.site.notes == {}


async def test_clearing_the_faults_lets_go_of_what_hangs(running: Any, control: SandboxClient) -> None:
    await control.add_fault("hang", times=None)
    waiting = asyncio.create_task(post(running))
    await eventually(lambda: running.traffic.in_flight == 1)
    await control.clear_faults()
    with pytest.raises(aiohttp.ClientConnectionError):
        await waiting
    assert (await post(running))[0] == 201


async def test_delay_lies_half_before_and_half_after_the_handler(
    running: Any, control: SandboxClient
) -> None:
    await control.add_fault("delay", delay_ms=400)
    started = time.monotonic()
    waiting = asyncio.create_task(post(running))
    await eventually(lambda: running.site.notes)
    committed = time.monotonic() - started
    assert (await waiting)[0] == 201
    answered = time.monotonic() - started
    assert 0.19 < committed < 0.35
    assert answered >= 0.39


async def test_latency_by_kind_and_default(running: Any, control: SandboxClient) -> None:
    await control.set_latency(0, {"notes.post": 200})
    with pytest.raises(TimeoutError):
        await post(running, timeout_s=0.15)
    await eventually(lambda: running.traffic.in_flight == 0)
    assert len(running.site.notes) == 1  # the client gave up after the commit
    started = time.monotonic()
    async with aiohttp.ClientSession() as session, session.get(running.url + "/notes") as response:
        assert response.ok
    assert time.monotonic() - started < 0.15


async def test_the_first_fault_that_matches_kind_method_and_path_is_taken(
    running: Any, control: SandboxClient
) -> None:
    await control.add_fault("status", status=500, path="^/other")
    await control.add_fault("status", status=501, kind="notes\\.get")
    await control.add_fault("status", status=502, kind="notes")
    await control.add_fault("status", status=504, path="notes")
    assert (await post(running))[0] == 504
    assert [fault["hits"] for fault in await control.faults()] == [0, 0, 0, 1]


async def test_calls_over_the_limit_are_refused_and_the_high_water_mark_tells(
    running: Any, control: SandboxClient
) -> None:
    await control.set_switches(concurrency_limit=2)
    await control.set_latency(150)
    answers = await asyncio.gather(*(post(running) for _ in range(5)))
    assert sorted(status for status, _ in answers) == [201, 201, 429, 429, 429]
    assert (429, {"over": "/notes"}) in answers
    counters = await control.counters()
    assert counters["concurrency_limit"] == 2
    assert counters["in_flight"] == 0
    assert counters["high_water"] > 2
    await control.reset_counters()
    await asyncio.gather(post(running), post(running))
    assert (await control.counters())["high_water"] == 2


async def test_the_log_tells_each_call_with_its_times(running: Any, control: SandboxClient) -> None:
    await control.set_latency(50)
    await control.add_fault("status", status=503)
    began = time.time()
    await post(running)
    await post(running)
    refused, served = await control.call_log()
    assert (refused["kind"], refused["method"], refused["path"]) == ("notes.post", "POST", "/notes")
    assert (refused["status"], served["status"]) == ("503", "201")
    assert began <= refused["arrived"] <= refused["answered"] <= served["arrived"]
    assert served["arrived"] + 0.05 <= served["answered"] <= time.time()


async def test_the_log_starts_anew_with_the_counters_and_keeps_the_latest_calls(
    running: Any, control: SandboxClient
) -> None:
    await post(running)
    await control.reset_counters()
    assert await control.call_log() == []
    running.traffic.log = deque(running.traffic.log, maxlen=2)
    for _ in range(3):
        await post(running)
    assert len(await control.call_log()) == 2


async def test_the_control_plane_itself_is_never_counted_or_disturbed(
    running: Any, control: SandboxClient
) -> None:
    await control.add_fault("drop_before", times=None)
    await control.set_latency(60_000)
    assert (await control.counters())["calls"] == 0


async def test_a_connection_can_be_used_again_after_a_served_fault(
    running: Any, control: SandboxClient
) -> None:
    await control.add_fault("status", status=503)
    connector = aiohttp.TCPConnector(limit=1)
    async with aiohttp.ClientSession(connector=connector) as session:
        for expected in (503, 201):
            async with session.post(running.url + "/notes", json=NOTE) as response:
                assert response.status == expected
