"""Logins: the signed assertion as NetSuite checks it, one token for all, and TBA signatures computed twice."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from urllib.parse import parse_qs, quote, unquote

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.memory.netsuite_http import Request, ScriptedHttp, answer

from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.http import HttpResponse
from twinbook.netsuite.auth import (
    REFUSED_PAUSE_S,
    ClientCredentials,
    OAuth2Login,
    TokenBasedLogin,
    TokenCredentials,
    host_of,
    realm_of,
)

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
BASE = "https://1234567-sb1.suitetalk.api.netsuite.com"
TOKEN_URL = f"{BASE}/services/rest/auth/oauth2/v1/token"
RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEYS = {
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "ES512": ec.generate_private_key(ec.SECP521R1()),
}
NOW = 1_790_000_000.0


def pem(key: Key) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class Ticking:
    """A monotonic clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def login(
    handler: Callable[[Request], HttpResponse | Exception], key: Key = RSA_KEY
) -> tuple[OAuth2Login, ScriptedHttp, Ticking]:
    http, clock = ScriptedHttp(handler), Ticking()
    credentials = ClientCredentials("client", "cert-1", pem(key))
    return OAuth2Login(http, BASE, lambda: credentials, wall=lambda: NOW, monotonic=clock), http, clock


def tokens(expires_in: object = 3600) -> Callable[[Request], HttpResponse]:
    issued: list[str] = []

    def handler(_: Request) -> HttpResponse:
        issued.append(f"token-{len(issued) + 1}")
        return answer(200, {"access_token": issued[-1], "expires_in": expires_in, "token_type": "Bearer"})

    return handler


@pytest.mark.parametrize(("algorithm", "key"), [("PS256", RSA_KEY), *EC_KEYS.items()])
async def test_the_assertion_is_what_netsuite_verifies(algorithm: str, key: Key) -> None:
    auth, http, _ = login(tokens(), key)
    assert await auth.authorization("GET", f"{BASE}/x") == "Bearer token-1"
    sent = http.requests[0]
    assert (sent.method, sent.url) == ("POST", TOKEN_URL)
    form = parse_qs((sent.data or b"").decode())
    assert form["grant_type"] == ["client_credentials"]
    assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
    assertion = form["client_assertion"][0]
    header = jwt.get_unverified_header(assertion)
    assert (header["typ"], header["alg"], header["kid"]) == ("JWT", algorithm, "cert-1")
    claims = jwt.decode(
        assertion,
        key.public_key(),
        algorithms=[algorithm],
        audience=TOKEN_URL,
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["iss"] == "client"
    assert claims["scope"] == ["rest_webservices"]
    assert (claims["iat"], claims["exp"]) == (NOW, NOW + 300)


async def test_each_assertion_has_its_own_jti() -> None:
    auth, _, _ = login(tokens())
    one, two = (jwt.decode(auth.assertion(), options={"verify_signature": False})["jti"] for _ in range(2))
    assert one != two


async def test_one_token_serves_callers_that_come_at_once() -> None:
    inner = tokens()

    async def slow(request: Request) -> HttpResponse:
        await asyncio.sleep(0)
        return inner(request)

    http = ScriptedHttp(slow)
    auth = OAuth2Login(
        http, BASE, lambda: ClientCredentials("c", "k", pem(RSA_KEY)), wall=lambda: NOW, monotonic=Ticking()
    )
    given = await asyncio.gather(*(auth.authorization("GET", BASE) for _ in range(20)))
    assert set(given) == {"Bearer token-1"}
    assert len(http.requests) == 1


@pytest.mark.parametrize("expires_in", [3600, "3600"])
async def test_a_token_is_renewed_before_it_ends(expires_in: object) -> None:
    auth, http, clock = login(tokens(expires_in))
    await auth.authorization("GET", BASE)
    clock.now = 3299.0
    await auth.authorization("GET", BASE)
    assert len(http.requests) == 1
    clock.now = 3301.0
    assert await auth.authorization("GET", BASE) == "Bearer token-2"


async def test_a_short_token_is_used_for_half_its_life_at_least() -> None:
    auth, http, clock = login(tokens(60))
    await auth.authorization("GET", BASE)
    clock.now = 29.0
    await auth.authorization("GET", BASE)
    assert len(http.requests) == 1


async def test_a_refused_token_is_renewed_once_by_whoever_comes_first() -> None:
    auth, http, clock = login(tokens())
    old = await auth.authorization("GET", BASE)
    assert auth.renewable(old)
    new = await auth.authorization("GET", BASE)
    assert auth.renewable(old), "a call that was still under way with the old token takes the new one"
    assert await auth.authorization("GET", BASE) == new
    assert not auth.renewable(new), "refused again at once: further tries can lock the access"
    assert len(http.requests) == 2
    clock.now += REFUSED_PAUSE_S
    assert auth.renewable(new)


@pytest.mark.parametrize(
    ("status", "error", "hint"),
    [
        (401, "invalid_client", "certificate id"),
        (400, "invalid_grant", "clock"),
        (400, "invalid_scope", "scope"),
        (400, "invalid_request", "account id"),
        (400, "unsupported_grant_type", "Machine to Machine"),
    ],
)
async def test_a_refused_login_says_what_to_do(status: int, error: str, hint: str) -> None:
    auth, _, _ = login(lambda _: answer(status, {"error": error}))
    with pytest.raises(PermanentError) as refused:
        await auth.authorization("GET", BASE)
    assert refused.value.code == error.upper()
    assert hint in refused.value.remedy


async def test_a_refused_login_is_not_hammered() -> None:
    auth, http, clock = login(lambda _: answer(401, {"error": "invalid_client"}))
    for _ in range(5):
        with pytest.raises(PermanentError, match="INVALID_CLIENT"):
            await auth.authorization("GET", BASE)
    assert len(http.requests) == 1
    clock.now += REFUSED_PAUSE_S
    with pytest.raises(PermanentError):
        await auth.authorization("GET", BASE)
    assert len(http.requests) == 2


@pytest.mark.parametrize(
    "reply",
    [
        answer(503, b"<html>maintenance</html>"),
        answer(200, b"<html>who are you?</html>"),
        answer(429, b""),
        TemporaryError("TIMEOUT", "no answer", outcome_unknown=True),
    ],
)
async def test_an_unavailable_token_endpoint_is_temporary(reply: HttpResponse | Exception) -> None:
    auth, _, _ = login(lambda _: reply)
    with pytest.raises(TemporaryError) as failure:
        await auth.authorization("GET", BASE)
    assert not failure.value.outcome_unknown


@pytest.mark.parametrize(
    "text", ["", "no key", pem(ed25519.Ed25519PrivateKey.generate()), pem(RSA_KEY)[:200]]
)
def test_an_unusable_key_is_named_before_any_call(text: str) -> None:
    http = ScriptedHttp(tokens())
    with pytest.raises(PermanentError) as refused:
        OAuth2Login(
            http, BASE, lambda: ClientCredentials("c", "k", text), wall=lambda: NOW, monotonic=Ticking()
        )
    assert refused.value.code == "BAD_PRIVATE_KEY"
    assert refused.value.field == "private_key"


def test_secrets_do_not_show() -> None:
    secrets = ClientCredentials("c", "k", "KEY"), TokenCredentials("1", "ck", "CSEC", "TID", "TSEC")
    assert not re.search("KEY|CSEC|TID|TSEC", repr(secrets))


def test_hosts_and_realms() -> None:
    assert host_of("1234567_SB1") == BASE
    assert host_of("TSTDRV1234567") == "https://tstdrv1234567.suitetalk.api.netsuite.com"
    assert realm_of("1234567-sb1") == "1234567_SB1"


@pytest.mark.parametrize(
    "query",
    ["", "?limit=1000&offset=0", "?q=email%20IS%20%22a%2Bb%40x.example%22&limit=5", "?a=2&a=1&b=%C3%A4"],
)
async def test_tba_signature_agrees_with_an_independent_computation(query: str) -> None:
    auth = TokenBasedLogin(TokenCredentials("1234567_SB1", "ck", "c&secret", "tid", "t secret"))
    url = f"{BASE}/services/rest/record/v1/contact/eid:SFC_1"
    header = await auth.authorization("post", url + query)
    given = {name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', header)}
    assert header.startswith("OAuth ")
    assert given.pop("realm") == "1234567_SB1"
    assert given["oauth_signature_method"] == "HMAC-SHA256"
    assert given["oauth_version"] == "1.0"
    assert len(given["oauth_nonce"]) >= 6
    signature = given.pop("oauth_signature")
    assert signature == _signature("POST", url, query, given)


def _signature(method: str, url: str, query: str, oauth: dict[str, str]) -> str:
    """netsuite.md 1.5, with nothing but the standard library."""
    asked = [
        tuple(unquote(part) for part in pair.split("="))
        for pair in query.removeprefix("?").split("&")
        if pair
    ]
    enc = [(quote(name, safe="~"), quote(value, safe="~")) for name, value in [*asked, *oauth.items()]]
    joined = "&".join(f"{name}={value}" for name, value in sorted(enc))
    base = "&".join([method, quote(url, safe="~"), quote(joined, safe="~")])
    key = f"{quote('c&secret', safe='~')}&{quote('t secret', safe='~')}"
    return base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha256).digest()).decode()
