"""Whatever is sent to the batch RESTlet: it answers in the shape of its contract, writes all or nothing of a request
that is malformed, and tells of every record that it wrote. The very script that is deployed runs in the sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.sandbox_netsuite_rig import Rig

from twinbook.packaged import folder

STATUSES = {"CREATED", "UPDATED", "DELETED", "STALE", "REFUSED", "DEFERRED"}
FIELDS = [
    "lastname",
    "firstname",
    "title",
    "email",
    "phone",
    "company",
    "subsidiary",
    "isinactive",
    "entityid",
]
FIELDS += [
    "custentity_twinbook_sf_id",
    "custentity_nowhere",
    "id",
    "lastmodifieddate",
    "__proto__",
    "constructor",
]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
ids = st.sampled_from(["1001", "1002", "1003", "1004", "-5", "999999"])
values = (
    st.none() | st.booleans() | st.integers(-5, 2000) | texts | st.sampled_from(["1", "a@b.example", "1001"])
)
fields = st.dictionaries(st.sampled_from(FIELDS) | texts, values, max_size=5)
addresses = st.dictionaries(
    st.sampled_from(["addr1", "city", "country", "zip", "state"]), st.none() | texts, max_size=3
)
creates = st.fixed_dictionaries(
    {
        "op": st.just("create"),
        "externalId": st.sampled_from(["SFC_A", "SFC_B", "SFC_C"]),
        "fields": st.builds(lambda more: {"lastname": "L", "subsidiary": "1", **more}, fields),
    },
    optional={"address": addresses},
)
updates = st.fixed_dictionaries(
    {"op": st.just("update"), "id": ids, "fields": fields},
    optional={"address": addresses, "ifVersion": texts},
)
deletes = st.fixed_dictionaries({"op": st.just("delete"), "id": ids})
batches = st.lists(creates | updates | deletes, max_size=8).map(
    lambda writes: [{**write, "key": str(number)} for number, write in enumerate(writes)]
)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[asyncio.Runner, Rig]]:
    """One account for all examples: whatever they leave behind is what the next one meets."""
    path: Path = tmp_path_factory.mktemp("netsuite") / "account.sqlite"
    with asyncio.Runner() as runner:
        rig = Rig(str(path))
        runner.run(rig.log_in())
        rig.account.scripts.deploy(folder("netsuite"))
        yield runner, rig
        runner.run(rig.__aexit__())


def send(rig: tuple[asyncio.Runner, Rig], body: Any) -> tuple[int, dict[str, Any]]:
    runner, sandbox = rig
    answer = runner.run(sandbox.restlet(body))
    told: dict[str, Any] = answer.json()
    return answer.status_code, told


@given(body=json_values.filter(lambda value: value is not None))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_anything_at_all_is_refused_by_name(rig: tuple[asyncio.Runner, Rig], body: Any) -> None:
    status, told = send(rig, body)
    assert (status, told["error"]["code"]) == (400, "INVALID_INPUT")
    assert told["error"]["message"].endswith(".")


@given(
    writes=batches,
    part=st.sampled_from(["op", "id", "fields", "key", "externalId", "address"]),
    junk=json_values,
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nearly_right_input_is_answered_or_refused_whole(
    rig: tuple[asyncio.Runner, Rig], writes: list[dict[str, Any]], part: str, junk: Any
) -> None:
    if writes:
        writes[-1] = {**writes[-1], part: junk}
    before = contents(rig[1])
    status, told = send(rig, {"version": 1, "action": "write", "record": "contact", "writes": writes})
    if status == 200:
        check(told["results"], writes)
    else:
        assert (status, told["error"]["code"]) == (400, "INVALID_INPUT")
        assert contents(rig[1]) == before


@given(writes=batches, units=st.integers(20, 400))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_record_that_was_written_is_told(
    rig: tuple[asyncio.Runner, Rig], writes: list[dict[str, Any]], units: int
) -> None:
    sandbox = rig[1]
    sandbox.switches.restlet_units = units
    before = contents(sandbox)
    shape = {"columns": [{"name": "externalid"}]}
    body = {"version": 1, "action": "write", "record": "contact", "writes": writes, "return": shape}
    status, told = send(rig, body)
    after = contents(sandbox)
    well_formed = all(_is_field(name) for write in writes for name in write.get("fields", {}))
    if not well_formed:
        assert (status, told["error"]["code"], after) == (400, "INVALID_INPUT", before)
        return
    assert status == 200, told
    results = check(told["results"], writes)
    changed = {id_ for id_ in before.keys() | after.keys() if before.get(id_) != after.get(id_)}
    done = {one["id"] for one in results.values() if one["status"] in ("CREATED", "UPDATED", "DELETED")}
    assert changed <= done, "written, but not told"
    made = {one["id"] for one in results.values() if one["status"] == "CREATED"}
    assert made <= after.keys() - before.keys() or any(write["op"] == "delete" for write in writes)
    externals = [record["externalId"] for record in after.values() if record["externalId"]]
    assert len(externals) == len(set(externals))


def contents(rig: Rig) -> dict[str, dict[str, Any]]:
    return {record["id"]: record for record in rig.account.list("contact", {}, 10_000, 0)}


def check(results: list[dict[str, Any]], writes: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    by_key = {result["key"]: result for result in results}
    assert sorted(by_key) == sorted(write["key"] for write in writes)
    assert len(results) == len(writes)
    assert {result["status"] for result in results} <= STATUSES
    assert all(result["code"] and result["message"] for result in results if result["status"] == "REFUSED")
    return by_key


def _is_field(name: str) -> bool:
    return name.isascii() and name[:1].islower() and name.replace("_", "a").isalnum() and name == name.lower()
