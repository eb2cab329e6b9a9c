"""Login: the two grants, one token for everybody, and refusals with a remedy."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from tests.memory.http import Request, ScriptedHttp, reply

from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.http import HttpResponse
from twinbook.salesforce.auth import JWT_BEARER, ClientCredentials, JwtBearer, TokenProvider, read_private_key

NOW = 1_790_000_000.0
URL = "https://acme.my.salesforce.com"
ORG, USER = "00D5g00000AbCdEEAV", "0055g00000XyZabAAF"
CREDENTIALS = ClientCredentials("3MVG9", "s3cret")


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def granted(value: str = "00D!1", **extra: Any) -> HttpResponse:
    body = {"access_token": value, "instance_url": URL, "id": f"https://login.salesforce.com/id/{ORG}/{USER}"}
    return reply(200, {**body, "token_type": "Bearer", "issued_at": "1790000000123", **extra})


def numbered() -> ScriptedHttp:
    """Grants 00D!1, 00D!2, …"""
    http = ScriptedHttp(lambda _: granted(f"00D!{len(http.requests)}"))
    return http


def provider(http: ScriptedHttp) -> TokenProvider:
    return TokenProvider(http, URL + "/", CREDENTIALS, lambda: NOW)


async def test_jwt_bearer_is_signed_for_three_minutes(key: rsa.RSAPrivateKey) -> None:
    http = numbered()
    grant = JwtBearer("3MVG9", "sync@acme.example", key)
    token = await TokenProvider(http, URL, grant, lambda: NOW).token()
    request = http.requests[0]
    assert (request.method, request.url) == ("POST", f"{URL}/services/oauth2/token")
    assert request.form["grant_type"] == JWT_BEARER
    claims = jwt.decode(
        request.form["assertion"],
        key.public_key(),
        algorithms=["RS256"],
        audience="https://login.salesforce.com",
        options={"verify_exp": False},
    )
    expected = {"iss": "3MVG9", "sub": "sync@acme.example", "aud": "https://login.salesforce.com"}
    assert claims == {**expected, "exp": int(NOW) + 180}
    assert (token.org_id, token.user_id, token.instance_url) == (ORG, USER, URL)


async def test_client_credentials_send_the_secret_in_the_form_only() -> None:
    http = numbered()
    await provider(http).token()
    assert http.requests[0].form == {
        "grant_type": "client_credentials",
        "client_id": "3MVG9",
        "client_secret": "s3cret",
    }
    assert "s3cret" not in http.requests[0].url


async def test_secrets_do_not_show(key: rsa.RSAPrivateKey) -> None:
    token = await provider(numbered()).token()
    shown = repr([CREDENTIALS, JwtBearer("id", "user", key), token])
    assert "s3cret" not in shown
    assert "00D!1" not in shown
    assert "RSAPrivateKey" not in shown


async def test_many_who_ask_at_once_share_one_request() -> None:
    http = numbered()
    tokens = provider(http)
    assert {token.value for token in await asyncio.gather(*(tokens.token() for _ in range(20)))} == {"00D!1"}
    assert len(http.requests) == 1


async def test_one_who_gives_up_does_not_stop_the_others() -> None:
    http = numbered()
    tokens = provider(http)
    impatient = asyncio.create_task(tokens.token())
    patient = asyncio.create_task(tokens.token())
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await patient).value == "00D!1"
    assert len(http.requests) == 1


async def test_a_late_refusal_keeps_the_newer_token() -> None:
    tokens = provider(numbered())
    first = await tokens.token()
    tokens.invalidate(first)
    second = await tokens.token()
    tokens.invalidate(first)
    assert await tokens.token() is second
    assert (first.value, second.value) == ("00D!1", "00D!2")


async def test_a_failed_login_is_tried_anew_by_the_next_caller() -> None:
    answers = [reply(503, text="<html>"), granted()]
    tokens = provider(ScriptedHttp(lambda _: answers.pop(0)))
    with pytest.raises(TemporaryError, match="HTTP_503"):
        await tokens.token()
    assert (await tokens.token()).value == "00D!1"


@pytest.mark.parametrize(
    ("error", "description", "remedy"),
    [
        ("invalid_grant", "user hasn't approved this consumer", "Pre-authorise"),
        ("invalid_grant", "audience is invalid", "https://test.salesforce.com"),
        ("invalid_grant", "no client credentials user enabled", "Run As"),
        ("invalid_grant", "expired assertion", "clock"),
        ("invalid_grant", "authentication failure", "login history"),
        ("invalid_client", "invalid client credentials", "consumer secret"),
        ("invalid_client_id", "client identifier invalid", "consumer key"),
        ("invalid_app_access", "user is not admin approved to access this app", "permission set"),
        ("unsupported_grant_type", "grant type not supported", "My Domain"),
        ("inactive_user", None, "Activate"),
        ("brand_new_error", "who knows", "login_url"),
    ],
)
async def test_refusals_say_what_to_do(error: str, description: str | None, remedy: str) -> None:
    body = {"error": error} | ({"error_description": description} if description else {})
    with pytest.raises(PermanentError) as caught:
        await provider(ScriptedHttp(lambda _: reply(400, body))).token()
    assert caught.value.code == error
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    "answer",
    [
        reply(400, {"error": "rate_limit_exceeded"}),
        reply(400, {"error": "invalid_grant", "error_description": "login rate exceeded"}),
        reply(502, text="<html>Bad gateway</html>"),
        reply(429, {"error": "x"}),
    ],
)
async def test_a_busy_login_passes(answer: HttpResponse) -> None:
    with pytest.raises(TemporaryError):
        await provider(ScriptedHttp(lambda _: answer)).token()


@pytest.mark.parametrize(
    "answer",
    [
        reply(200, text="<html>Welcome</html>"),
        reply(200, []),
        reply(200, {"access_token": "x", "instance_url": URL}),
        reply(200, {"access_token": "x", "instance_url": URL, "id": "nonsense"}),
    ],
)
async def test_an_answer_without_a_token_is_refused(answer: HttpResponse) -> None:
    with pytest.raises(PermanentError, match="INVALID_TOKEN_RESPONSE"):
        await provider(ScriptedHttp(lambda _: answer)).token()


async def test_transport_failures_pass_through() -> None:
    def fail(_: Request) -> HttpResponse:
        raise TemporaryError("TIMEOUT", "silence")

    with pytest.raises(TemporaryError, match="TIMEOUT"):
        await provider(ScriptedHttp(fail)).token()


def test_keys_come_from_files_and_from_text(key: rsa.RSAPrivateKey, tmp_path: Path) -> None:
    file = tmp_path / "sync.pem"
    file.write_bytes(pem(key))
    numbers = key.private_numbers()
    assert read_private_key(file).private_numbers() == numbers
    assert read_private_key(pem(key).decode()).private_numbers() == numbers


def test_bad_keys_are_explained(tmp_path: Path) -> None:
    elliptic = pem(ec.generate_private_key(ec.SECP256R1())).decode()
    for source, problem in (
        (tmp_path / "none.pem", "cannot be read"),
        ("hello", "no unencrypted key in PEM form"),
        (elliptic, "no RSA key"),
    ):
        with pytest.raises(PermanentError, match=problem) as caught:
            read_private_key(source)
        assert caught.value.field == "private_key"
