"""The courier: signed webhooks, retries that end, and messages for people, over one queue."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson
import pytest

from twinbook.domain.errors import TemporaryError
from twinbook.domain.reasons import OutcomeKind, Reason
from twinbook.domain.records import Entity, Key, Side
from twinbook.http import HttpResponse
from twinbook.notify import courier as module
from twinbook.notify.addresses import Address
from twinbook.notify.courier import Courier
from twinbook.notify.sending import Sending
from twinbook.signature import HEADER, Signature
from twinbook.store import changes, deliveries, flows, outcomes, recipients
from twinbook.store.database import Database
from twinbook.store.deliveries import Delivery
from twinbook.store.outcomes import Outcome
from twinbook.store.recipients import Kind

ADA = Outcome(
    Key(Entity.CONTACT, Side.SALESFORCE, "003"), OutcomeKind.WAITING, Reason.ACCOUNT_NOT_SYNCED, name="Ada"
)
SECRET = "a secret that nobody guesses"


@dataclass
class Web:
    """Answers with a status, or as nobody; keeps what was sent."""

    status: int | None = 200
    sent: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: object | None = None,
        data: bytes | None = None,
    ) -> HttpResponse:
        self.sent.append((url, headers or {}, data or b""))
        if self.status is None:
            raise TemporaryError("CONNECTION_FAILED", "no connection to hooks.acme.example")
        return HttpResponse(self.status, {}, b"", 0.0)


class Rig:
    def __init__(self) -> None:
        self.time, self.web, self.database = 1_790_000_000.0, Web(), Database.open_memory()
        sending = Sending(self.web, lambda: self.time)
        self.courier = Courier(
            self.database,
            ("default",),
            "http://twinbook",
            lambda sealed: sealed,
            sending,
            lambda: self.time,
            random.Random(1),
        )

    def add(self, kind: Kind, url: str, rules: Mapping[str, object] | None = None) -> int:
        sealed = Address(url, SECRET).packed()
        return self.database.run_now(
            "",
            lambda tx: recipients.add(
                tx, kind, name="a", shown="", sealed=sealed, rules=rules or {}, now=self.time
            ),
        )

    def store(self, found: Outcome) -> None:
        def work(tx: object) -> None:
            changes.announce(tx, [found], now=self.time)  # type: ignore[arg-type]
            outcomes.record(tx, [found], looked_at=self.time, now=self.time)  # type: ignore[arg-type]

        self.database.run_now("default", work)

    def waiting(self) -> list[Delivery]:
        return self.database.run_now(
            "", lambda tx: deliveries.take(tx, limit=9, until=self.time, now=self.time + 10**9)
        )


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def test_a_changed_outcome_is_posted_with_a_signature_and_without_names(rig: Rig) -> None:
    rig.add(Kind.WEBHOOK, "https://hooks.acme.example/in")
    rig.store(ADA)
    await rig.courier.carry()
    [(url, headers, body)] = rig.web.sent
    assert url == "https://hooks.acme.example/in"
    signature = Signature.parse(headers[HEADER])
    assert signature is not None
    assert signature.made_with([SECRET], body)
    assert not signature.made_with(["another secret"], body)
    told = orjson.loads(body)
    assert (told["event"], told["connection"]) == ("outcome.changed", "default")
    [record] = told["records"]
    assert (record["id"], record["outcome"], record["reason"]) == ("003", "waiting", "ACCOUNT_NOT_SYNCED")
    assert b"Ada" not in body
    assert rig.waiting() == []


async def test_an_outcome_that_stays_is_not_told_again(rig: Rig) -> None:
    rig.add(Kind.WEBHOOK, "https://hooks.acme.example/in")
    rig.store(ADA)
    rig.store(ADA)
    assert len(rig.waiting()) == 1


@pytest.mark.parametrize("status", [None, 302, 500])
async def test_what_is_not_taken_is_tried_later_and_in_the_end_given_up(
    rig: Rig, status: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_TRIES", 3)
    rig.web.status = status
    rig.add(Kind.WEBHOOK, "https://hooks.acme.example/in")
    rig.store(ADA)
    for tries in (1, 2, 3):
        await rig.courier.carry()
        await rig.courier.carry()
        assert len(rig.web.sent) == tries, "not before its wait is over"
        rig.time += module.LONGEST_WAIT
    await rig.courier.carry()
    assert len(rig.web.sent) == 3
    [dead] = rig.database.run_now("", deliveries.dead)
    assert "hooks.acme.example/in" not in dead.problem
    assert dead.problem


async def test_people_are_told_of_a_safety_stop_once(rig: Rig) -> None:
    rules = {"events": ["safety-stop"], "failures_above": 0, "digest_minutes": 60, "quiet": None}
    rig.add(Kind.PEOPLE, "json://localhost", rules)
    await rig.courier.look()
    assert rig.waiting() == []
    rig.database.run_now("default", lambda tx: flows.stop(tx, why="many vanished", now=rig.time))
    await rig.courier.look()
    await rig.courier.look()
    [item] = rig.waiting()
    assert "SAFETY_STOP" in item.content["body"]


async def test_an_address_that_this_key_file_does_not_open_says_so(rig: Rig) -> None:
    to = rig.add(Kind.WEBHOOK, "https://hooks.acme.example/in")
    rig.database.run_now("", lambda tx: deliveries.put(tx, to, {}, now=rig.time))
    object.__setattr__(rig.courier, "unseal", lambda _: None)
    await rig.courier.carry()
    [item] = rig.waiting()
    assert "Enter it anew" in item.problem
    assert rig.web.sent == []
