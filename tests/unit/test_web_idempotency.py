"""A POST to the API that is sent again with its key is answered again, and not done again."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.dashboard.rig import Rig

from twinbook.store import answered, recipients
from twinbook.store.database import Database
from twinbook.store.retention import Retention, prune
from twinbook.web.access.roles import Role
from twinbook.web.dashboard import INSTALLATION

PATH = "/api/v1/notifications/webhooks"
GIVEN = {"name": "Warehouse", "url": "https://hooks.acme.example/in"}
KEY = {"Idempotency-Key": "one"}


class Clock:
    time = 1_790_000_000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rig(tmp_path: Path, clock: Clock) -> Rig:
    return Rig.over(Database.open_memory(), tmp_path, now=clock)


def made(rig: Rig) -> int:
    return len(rig.database.read_now(INSTALLATION, recipients.everybody))


def test_the_same_request_is_done_once_and_answered_twice(rig: Rig) -> None:
    program = rig.client()
    first = program.post(PATH, json=GIVEN, headers=KEY)
    again = program.post(PATH, json=GIVEN, headers=KEY)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert made(rig) == 1
    program.post(PATH, json=GIVEN, headers={"Idempotency-Key": "two"})
    program.post(PATH, json=GIVEN)
    assert made(rig) == 3


def test_a_key_is_for_one_request(rig: Rig) -> None:
    program = rig.client()
    program.post(PATH, json=GIVEN, headers=KEY)
    other = program.post(PATH, json=GIVEN | {"name": "Other"}, headers=KEY)
    assert other.status_code == 422
    assert other.headers["content-type"] == "application/problem+json"
    assert program.post("/api/v1/notifications/people", json=GIVEN, headers=KEY).status_code == 422
    assert made(rig) == 1


def test_what_was_refused_may_be_sent_again_with_its_key(rig: Rig) -> None:
    program = rig.client()
    assert program.post(PATH, json=GIVEN | {"url": "no"}, headers=KEY).status_code == 422
    assert program.post(PATH, json=GIVEN, headers=KEY).status_code == 200


def test_callers_do_not_share_keys_and_nobody_is_answered_without_signing_in(rig: Rig) -> None:
    assert rig.client().post(PATH, json=GIVEN, headers=KEY).status_code == 200
    assert rig.client(Role.OPERATOR).post(PATH, json=GIVEN, headers=KEY).status_code == 403
    assert rig.client(None).post(PATH, json=GIVEN, headers=KEY).status_code == 401


def test_one_that_is_still_worked_on_is_not_begun_twice_and_one_that_was_cut_off_is(
    rig: Rig, clock: Clock
) -> None:
    program = rig.client()
    program.post(PATH, json=GIVEN, headers=KEY)
    rig.database.run_now(INSTALLATION, lambda tx: answered.finish(tx, "person 1", "one", None, ""))  # type: ignore[arg-type]
    assert program.post(PATH, json=GIVEN, headers=KEY).status_code == 409
    clock.time += answered.CUT_OFF_SECONDS + 1
    assert program.post(PATH, json=GIVEN, headers=KEY).status_code == 200


@pytest.mark.parametrize("key", ["", "a b", "x" * 201])
def test_a_key_that_is_none_is_refused(rig: Rig, key: str) -> None:
    assert rig.client().post(PATH, json=GIVEN, headers={"Idempotency-Key": key}).status_code == 400
    assert made(rig) == 0


def test_answers_are_sealed_and_forgotten_after_a_day(rig: Rig, clock: Clock) -> None:
    secret = rig.client().post(PATH, json=GIVEN, headers=KEY).json()["secret"]

    def stored() -> answered.Answered | None:
        return rig.database.run_now(
            INSTALLATION, lambda tx: answered.begin(tx, "person 1", "one", "", now=clock.time)
        )

    found = stored()
    assert found is not None
    assert secret not in found.sealed
    later = clock.time + answered.KEPT_SECONDS + 1
    assert rig.database.run_now("default", lambda tx: prune(tx, Retention(), now=later)) == 1
    assert stored() is None
