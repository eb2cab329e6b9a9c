"""Pings: signed ones mark keys dirty, and nothing else gets through."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings, strategies
from starlette.applications import Starlette
from starlette.testclient import TestClient

from twinbook.domain.records import Entity, Key, Side
from twinbook.settings import Settings
from twinbook.signature import HEADER, Signature, sign
from twinbook.store import links
from twinbook.store.database import Database, Store
from twinbook.store.schema import dirty
from twinbook.web import ping as pinging
from twinbook.web.ping import LARGEST_BODY, MOST_RECORDS, WINDOW, ping_routes

NOW = 1_790_000_000.0
SECRET, PREVIOUS, OTHER = "s" * 32, "p" * 40, "o" * 32
CONTACT = "0035g00000QwErTAAV"
ACCOUNT = "0015g00000ZzZzZAAV"


def settings_with(**changes: Any) -> Settings:
    salesforce = {
        "login_url": "https://acme.my.salesforce.com",
        "client_id": "3MVG9",
        "auth": "client-credentials",
        "client_secret": "x",
    }
    netsuite = {"account_id": "1234567", "auth": "tba"} | {
        f"tba_{name}": "x" for name in ("consumer_key", "consumer_secret", "token_id", "token_secret")
    }
    connection = {"salesforce": salesforce, "netsuite": netsuite, "contacts": {"direction": "both"}} | changes
    silent = {"salesforce": salesforce, "netsuite": netsuite}
    return Settings.model_validate({"store": {}, "connections": {"default": connection, "silent": silent}})


class Pings:
    """A client of the endpoint, and the store behind it."""

    def __init__(self, database: Database, configured: Settings) -> None:
        self.now = NOW
        self.store = Store(database, "default")
        self.http = TestClient(
            Starlette(routes=ping_routes(database, lambda: configured, lambda: self.now)),
            raise_server_exceptions=True,
        )
        self._sent = 0

    def body(self, *records: tuple[str, str], **changes: Any) -> bytes:
        named = [{"type": type_, "id": id_} for type_, id_ in records]
        return orjson.dumps({"v": 1, "connection": "default", "records": named} | changes)

    def send(
        self,
        body: bytes,
        *,
        secret: str = SECRET,
        at: float | None = None,
        nonce: str = "",
        to: str = "default",
    ) -> int:
        self._sent += 1
        nonce = nonce or f"nonce-{self._sent:016d}"
        header = sign(secret, body, at=int(self.now if at is None else at), nonce=nonce)
        return self.http.post(f"/ping/{to}", content=body, headers={HEADER: header}).status_code

    def dirty(self) -> set[Key]:
        rows = self.store.read_now(lambda tx: tx.execute(sa.select(dirty)).all())
        return {Key(Entity(row.entity), Side(row.side), row.record_id) for row in rows}


@pytest.fixture
def p() -> Iterator[Pings]:
    database = Database.open_memory()
    yield Pings(database, settings_with(ping={"secret": SECRET, "previous_secret": PREVIOUS}))
    database.close()


def netsuite(id_: str) -> Key:
    return Key(Entity.CONTACT, Side.NETSUITE, id_)


def test_a_signed_ping_marks_what_it_names(p: Pings) -> None:
    p.store.run_now(
        lambda tx: [
            links.establish(tx, Entity.CONTACT, CONTACT, "12", correlation_id="c", now=1),
            links.establish(tx, Entity.ACCOUNT, ACCOUNT, "7", correlation_id="a", now=1),
        ]
    )
    assert p.send(p.body(("contact", "11"), ("contact", "12"), ("contact", "12"), ("customer", "7"))) == 202
    assert p.dirty() == {
        netsuite("11"),
        Key(Entity.CONTACT, Side.SALESFORCE, CONTACT),
        Key(Entity.ACCOUNT, Side.SALESFORCE, ACCOUNT),
    }


def test_both_secrets_are_accepted_while_one_is_replaced(p: Pings) -> None:
    assert p.send(p.body(("contact", "1")), secret=PREVIOUS) == 202
    assert p.send(p.body(("contact", "1")), secret=SECRET) == 202
    assert p.send(p.body(("contact", "1")), secret=OTHER) == 401


def test_a_changed_body_or_header_is_refused(p: Pings) -> None:
    body = p.body(("contact", "1"))
    header = sign(SECRET, body, at=int(NOW), nonce="n" * 16)
    post = p.http.post
    assert post("/ping/default", content=body + b" ", headers={HEADER: header}).status_code == 401
    for broken in (
        "",
        "nonsense",
        header[:-1],
        header.replace("n=n", "n=m"),
        header.replace("t=1", "t=2"),
        header + "0",
    ):
        assert post("/ping/default", content=body, headers={HEADER: broken}).status_code == 401
    assert post("/ping/default", content=body).status_code == 401
    assert p.dirty() == set()


def test_an_old_ping_and_one_from_the_future_are_refused(p: Pings) -> None:
    body = p.body(("contact", "1"))
    for at, status in ((-WINDOW, 202), (-WINDOW - 1, 401), (WINDOW, 202), (WINDOW + 1, 401)):
        assert p.send(body, at=NOW + at) == status


def test_a_ping_counts_once(p: Pings) -> None:
    body = p.body(("contact", "1"))
    assert [p.send(body, nonce="n" * 16) for _ in range(3)] == [202, 409, 409]
    p.now += WINDOW
    assert p.send(body, nonce="n" * 16, at=NOW) == 409, "remembered for as long as its time is accepted"
    p.now += 1
    assert p.send(body, nonce="n" * 16, at=NOW) == 401


def test_too_many_are_refused_with_the_time_to_wait(p: Pings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pinging, "MOST_A_MINUTE", 3)
    body = p.body(("contact", "1"))
    assert [p.send(body) for _ in range(5)] == [202, 202, 202, 429, 429]
    header = sign(SECRET, body, at=int(NOW), nonce="q" * 16)
    answer = p.http.post("/ping/default", content=body, headers={HEADER: header})
    assert answer.headers["Retry-After"] == "60"


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"v": True},
        {"connection": "silent"},
        {"records": []},
        {"records": [{"type": "opportunity", "id": "1"}]},
        {"records": [{"type": "contact", "id": 1}]},
        {"records": [{"type": "contact", "id": "1; DROP TABLE link"}]},
        {"records": [{"type": "contact", "id": "1", "email": "a@acme.example"}]},
        {"records": [{"type": "contact", "id": "1"}] * (MOST_RECORDS + 1)},
        {"more": 1},
    ],
)
def test_a_signed_body_that_is_no_ping_is_refused_and_named(p: Pings, changes: dict[str, Any]) -> None:
    body = p.body(("contact", "1"), **changes)
    header = sign(SECRET, body, at=int(NOW), nonce="n" * 16)
    answer = p.http.post("/ping/default", content=body, headers={HEADER: header})
    assert answer.status_code == 400
    assert next(iter(changes)) in answer.json()["error"]
    assert "acme.example" not in answer.text
    assert p.dirty() == set()


def test_the_largest_ping_is_taken_and_a_larger_body_is_not_read(p: Pings) -> None:
    records = [("contact", str(10**17 + number)) for number in range(MOST_RECORDS)]
    body = p.body(*records)
    assert len(body) <= LARGEST_BODY
    assert p.send(body) == 202
    assert len(p.dirty()) == MOST_RECORDS
    assert p.send(b" " * LARGEST_BODY) == 400
    assert p.send(b" " * (LARGEST_BODY + 1)) == 413


def test_without_a_secret_there_is_no_endpoint(p: Pings) -> None:
    body = p.body(("contact", "1"), connection="silent")
    assert p.send(body, to="silent") == p.send(body, to="nobody") == 404
    assert p.http.get("/ping/default").status_code == 405


def test_one_way_only_what_is_held_up_is_looked_at() -> None:
    database = Database.open_memory()
    one_way = Pings(database, settings_with(ping={"secret": SECRET}, contacts={}))
    assert one_way.send(one_way.body(("contact", "11"))) == 202
    assert one_way.dirty() == set()
    database.close()


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


HARD = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
JSON = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.text(),
    lambda inner: strategies.lists(inner) | strategies.dictionaries(strategies.text(), inner),
    max_leaves=10,
)


@HARD
@given(
    body=strategies.binary(max_size=200) | JSON.map(as_json),
    signed=strategies.booleans(),
)
def test_whatever_is_sent_there_is_an_answer_and_nothing_is_marked(
    p: Pings, body: bytes, signed: bool
) -> None:
    assert p.send(body, secret=SECRET if signed else OTHER) == (400 if signed else 401)
    assert p.dirty() == set()


@HARD
@given(header=strategies.text(strategies.characters(min_codepoint=32, max_codepoint=255), max_size=200))
def test_no_header_but_a_signature_is_accepted(p: Pings, header: str) -> None:
    body = p.body(("contact", "1"))
    answer = p.http.post("/ping/default", content=body, headers={HEADER: header.strip().encode("latin-1")})
    assert answer.status_code == 401


@HARD
@given(
    secret=strategies.text(min_size=32, max_size=64),
    body=strategies.binary(max_size=200),
    at=strategies.integers(0, 10**12 - 1),
    nonce=strategies.text("abcXYZ019_-", min_size=16, max_size=64),
    other=strategies.binary(max_size=200),
)
def test_a_signature_fits_its_own_body_and_secret_only(
    secret: str, body: bytes, at: int, nonce: str, other: bytes
) -> None:
    parsed = Signature.parse(sign(secret, body, at=at, nonce=nonce))
    assert parsed is not None
    assert parsed.made_with([OTHER, secret], body)
    assert not parsed.made_with([OTHER], body)
    assert parsed.made_with([secret], other) is (other == body)


@pytest.mark.parametrize("secret", ["", "s" * 31])
def test_a_secret_that_could_be_guessed_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="at least 32"):
        settings_with(ping={"secret": secret})


def test_a_previous_secret_needs_a_secret() -> None:
    with pytest.raises(ValueError, match="no secret that it precedes"):
        settings_with(ping={"previous_secret": PREVIOUS})
