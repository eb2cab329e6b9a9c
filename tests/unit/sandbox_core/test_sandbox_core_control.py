"""The routes of the control plane, through its client."""

from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from twinbook_sandbox.client import SandboxClient, SandboxRefusedError


async def test_records_are_written_and_read_as_a_user(running: Any, control: SandboxClient) -> None:
    id_ = await control.insert("note", {"text": "one"}, user="ada")
    await control.update("note", id_, {"text": "two"}, user="bob")
    assert (await control.read("note", id_))["text"] == "two"
    assert running.site.users == ["ada", "bob"]
    await control.delete("note", id_)
    assert (await control.read("note", id_))["deleted"] is True
    assert await control.count("note") == 0


async def test_lists_filter_by_equality_and_page(control: SandboxClient) -> None:
    for number in range(5):
        await control.insert("note", {"text": str(number), "done": number > 1})
    assert [n["text"] for n in await control.records("note", {"done": True}, limit=2, offset=1)] == ["3", "4"]


async def test_a_refusal_of_the_system_is_told_with_code_and_field(control: SandboxClient) -> None:
    with pytest.raises(SandboxRefusedError) as refused:
        await control.insert("note", {})
    assert (refused.value.status, refused.value.code, refused.value.field) == (
        422,
        "REQUIRED_FIELD_MISSING",
        "text",
    )


async def test_actions_are_listed_and_carried_out(control: SandboxClient) -> None:
    assert await control.act("shout", word="hey") == {"said": "HEY"}
    assert await control.act("revoke_tokens") == {"revoked": 3}
    with pytest.raises(SandboxRefusedError, match="word"):
        await control.act("shout")
    with pytest.raises(SandboxRefusedError) as unknown:
        await control.act("whisper")
    assert unknown.value.status == 404
    assert "shout" in unknown.value.remedy


async def test_switches_are_checked_by_type_and_set_all_or_none(running: Any, control: SandboxClient) -> None:
    assert (await control.switches())["name_scope"] == "company"
    await control.set_switches(name_scope="off", seen_fields=["a"], concurrency_limit=4)
    assert running.site.switches.seen_fields == ["a"]
    with pytest.raises(SandboxRefusedError) as wrong:
        await control.set_switches(oneworld=False, name_scope="planet")
    assert wrong.value.field == "name_scope"
    assert running.site.switches.oneworld is True
    with pytest.raises(SandboxRefusedError) as unknown:
        await control.set_switches(colour="red")
    assert "oneworld" in unknown.value.remedy
    with pytest.raises(SandboxRefusedError):
        await control.set_switches(oneworld="yes")


async def test_time_is_frozen_advanced_and_reset(running: Any, control: SandboxClient) -> None:
    noon = datetime(2026, 10, 1, 12, tzinfo=UTC)
    await control.freeze(noon)
    await control.advance(90)
    assert await control.now() == datetime(2026, 10, 1, 12, 1, 30, tzinfo=UTC)
    await control.freeze(None)
    assert not running.clock.frozen


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/faults", {"effect": "explode"}, "effect"),
        ("POST", "/faults", {"effect": "delay", "delay_ms": -1}, "delay_ms"),
        ("POST", "/faults", {"effect": "hang", "times": 0}, "times"),
        ("POST", "/faults", {"effect": "hang", "match": {"path": "("}}, "match.path"),
        ("POST", "/faults", {"effect": "hang", "match": {"verb": "GET"}}, "match.verb"),
        ("POST", "/faults", {"effect": "hang", "often": 3}, "often"),
        ("PUT", "/latency", {"by_kind": {"query": "slow"}}, "by_kind.query"),
        ("POST", "/time", {"at": "2026-10-01T12:00:00"}, None),
        ("POST", "/time", {}, None),
        ("POST", "/time", {"advance_s": 1, "reset": True}, None),
        ("POST", "/time", {"advance_s": "soon"}, "advance_s"),
        ("GET", "/records/note?limit=many", None, "limit"),
        ("GET", "/records/note?offset=-1", None, "offset"),
        ("PATCH", "/switches", {"concurrency_limit": 2.5}, "concurrency_limit"),
        ("POST", "/records/note", [1], None),
    ],
)
async def test_a_wrong_request_gets_field_problem_and_remedy(
    running: Any, method: str, path: str, body: Any, field: str | None
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, running.url + "/_sandbox" + path, json=body) as response,
    ):
        error = (await response.json())["error"]
    assert response.status == 400
    assert error["field"] == field
    assert error["problem"]
    assert error["remedy"]


async def test_a_body_that_is_no_json(running: Any) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.post(running.url + "/_sandbox/faults", data=b"{effect") as response,
    ):
        assert response.status == 400
        assert "no JSON" in (await response.json())["error"]["problem"]


async def test_unknown_records_and_faults_are_404(running: Any, control: SandboxClient) -> None:
    with pytest.raises(SandboxRefusedError) as missing:
        await control.read("note", "99")
    assert missing.value.status == 404
    async with (
        aiohttp.ClientSession() as session,
        session.delete(running.url + "/_sandbox/faults/7") as response,
    ):
        assert response.status == 404


async def test_health_and_reset(running: Any, control: SandboxClient) -> None:
    await control.insert("note", {"text": "gone soon"})
    await control.reset()
    assert running.site.notes == {}
    assert (await control.health())["site"] == "notes"
