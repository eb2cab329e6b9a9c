"""Logins of the emulated NetSuite account: signed assertions, bearer tokens, TBA signatures (netsuite.md 1)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, SIGNATURE_TYPE_AUTH_HEADER, Client
from tests.unit.sandbox_netsuite_rig import BASE, RECORDS, TOKEN_URL, Rig, detail

from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.core.control import SiteError
from twinbook_sandbox.netsuite.account import NetSuiteAccount


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with Rig() as rig:
        yield rig


@pytest.mark.parametrize(
    ("login", "algorithm"), [("ec", "ES256"), ("rsa", "PS256"), ("rsa", "PS384"), ("rsa", "PS512")]
)
async def test_signed_assertion_opens_session(rig: Rig, login: str, algorithm: str) -> None:
    answer = await rig.token(rig.assertion(login=login, algorithm=algorithm))
    assert answer.status_code == 200
    body = answer.json()
    assert body["token_type"] == "Bearer" and body["expires_in"] == 3600
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    assert (await rig.http.get(f"{RECORDS}/contact", headers=headers)).status_code == 200


@pytest.mark.parametrize(("curve", "algorithm"), [(ec.SECP384R1(), "ES384"), (ec.SECP521R1(), "ES512")])
async def test_uploaded_certificate_can_sign(rig: Rig, curve: ec.EllipticCurve, algorithm: str) -> None:
    key = ec.generate_private_key(curve)
    kid = rig.account.actions()["upload_certificate"]({"certificate": _certificate(rig, key)})[
        "certificate_id"
    ]
    claims = jwt.decode(rig.assertion(), options={"verify_signature": False})
    answer = await rig.token(jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid}))
    assert answer.status_code == 200
    rig.account.actions()["revoke_certificate"]({"certificate_id": kid})
    answer = await rig.token(jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid}))
    assert answer.json() == {"error": "invalid_client"}


def _certificate(rig: Rig, key: ec.EllipticCurvePrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(rig.clock.now())
    signed = builder.not_valid_after(rig.clock.now() + timedelta(days=30)).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


@pytest.mark.parametrize(
    "scope", [["rest_webservices", "restlets"], "rest_webservices,restlets", "rest_webservices restlets"]
)
async def test_scope_may_be_written_three_ways(rig: Rig, scope: Any) -> None:
    assert (await rig.token(rig.assertion(scope=scope))).status_code == 200


@pytest.mark.parametrize(
    ("claims", "status", "error"),
    [
        ({"iss": "stranger"}, 401, "invalid_client"),
        ({"aud": "https://elsewhere.example/token"}, 400, "invalid_request"),
        ({"iat": None}, 400, "invalid_request"),
        ({"exp": None}, 400, "invalid_request"),
        ({"iat": 1790845800, "exp": 1790845800 + 3601}, 400, "invalid_request"),
        ({"iat": 1790840000, "exp": 1790840300}, 400, "invalid_grant"),
        ({"iat": 1790850000, "exp": 1790850300}, 400, "invalid_grant"),
        ({"scope": []}, 400, "invalid_scope"),
        ({"scope": "everything"}, 400, "invalid_scope"),
    ],
)
async def test_wrong_claims_are_refused(rig: Rig, claims: dict[str, Any], status: int, error: str) -> None:
    answer = await rig.token(rig.assertion(**claims))
    assert (answer.status_code, answer.json()) == (status, {"error": error})
    assert ("www-authenticate" in answer.headers) == (status == 401)


async def test_pkcs1_signature_is_refused(rig: Rig) -> None:
    answer = await rig.token(rig.assertion(login="rsa", algorithm="RS256"))
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request"})


async def test_unknown_kid_and_foreign_key_are_unknown_clients(rig: Rig) -> None:
    answer = await rig.token(rig.assertion(headers={"kid": "unknown"}))
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})
    assert answer.headers["www-authenticate"] == 'Basic realm="1234567"'
    credentials = rig.account.credentials()
    foreign = jwt.encode(
        {"iss": "x"}, ec.generate_private_key(ec.SECP256R1()), "ES256", {"kid": credentials["certificate_id"]}
    )
    assert (await rig.token(foreign)).json() == {"error": "invalid_client"}


async def test_certificate_runs_out(rig: Rig) -> None:
    rig.clock.advance(731 * 86400)
    assert (await rig.token(rig.assertion())).json() == {"error": "invalid_client"}
    rig.switches.check_certificate_validity = False
    assert (await rig.token(rig.assertion())).status_code == 200


async def test_form_is_checked(rig: Rig) -> None:
    assertion = rig.assertion()
    assert (await rig.token(assertion, grant_type="password")).json() == {"error": "unsupported_grant_type"}
    assert (await rig.token(assertion, client_assertion_type="x")).json() == {"error": "invalid_request"}
    assert (await rig.token("no.jwt")).json() == {"error": "invalid_request"}
    twice = f"grant_type=client_credentials&grant_type=client_credentials&client_assertion={assertion}"
    answer = await rig.http.post(TOKEN_URL, content=twice)
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request"})


async def test_session_ends_and_can_be_revoked(rig: Rig) -> None:
    rig.clock.advance(3599)
    assert (await rig.http.get(f"{RECORDS}/contact")).status_code == 200
    rig.clock.advance(2)
    refused = await rig.http.get(f"{RECORDS}/contact")
    assert refused.headers["www-authenticate"].startswith('Bearer realm="1234567", error="invalid_token"')
    assert detail(refused)["o:errorCode"] == "INVALID_LOGIN"
    token = (await rig.token(rig.assertion())).json()["access_token"]
    assert rig.account.revoke_tokens() == 1
    headers = {"Authorization": f"Bearer {token}"}
    assert (await rig.http.get(f"{RECORDS}/contact", headers=headers)).status_code == 401


async def test_missing_malformed_and_narrow_tokens(rig: Rig) -> None:
    malformed = await rig.http.get(f"{RECORDS}/contact", headers={"Authorization": "Bearer nonsense"})
    assert malformed.status_code == 400 and 'error="invalid_request"' in malformed.headers["www-authenticate"]
    assert (await rig.http.get(f"{RECORDS}/contact", headers={"Authorization": ""})).status_code == 401
    narrow = (await rig.token(rig.assertion(scope="restlets"))).json()["access_token"]
    answer = await rig.http.get(f"{RECORDS}/contact", headers={"Authorization": f"Bearer {narrow}"})
    assert answer.status_code == 401
    reasons = [entry["reason"] for entry in rig.account.actions()["login_audit_trail"]({})["refused"]]
    assert "the token lacks the scope rest_webservices" in reasons


# --- token-based authentication, signed by oauthlib


def _signed(rig: Rig, url: str, method: str = "GET", **changes: str) -> dict[str, str]:
    credentials = rig.account.credentials()
    tba = {**credentials["tba"], **changes}
    client = Client(
        tba["consumer_key"],
        tba["consumer_secret"],
        tba["token_id"],
        tba["token_secret"],
        realm=changes.get("realm", credentials["account_id"]),
        signature_method=changes.get("signature_method", SIGNATURE_HMAC_SHA256),
        signature_type=SIGNATURE_TYPE_AUTH_HEADER,
        timestamp=changes.get("timestamp", str(int(rig.clock.now().timestamp()))),
        nonce=changes.get("nonce"),
    )
    _, headers, _ = client.sign(url, method)
    return {"Authorization": headers["Authorization"]}


@pytest.mark.parametrize(
    "path",
    [
        f"{RECORDS}/contact?limit=5&offset=0",
        f"{RECORDS}/contact?q=email%20START_WITH%20%22a%2Bb%22",
        f"{RECORDS}/contact?q=lastName%20IS%20%22M%C3%BCller%22",
        f"{RECORDS}/metadata-catalog/contact",
    ],
)
async def test_signature_of_oauthlib_is_accepted(rig: Rig, path: str) -> None:
    answer = await rig.http.get(httpx.URL(BASE + path), headers=_signed(rig, BASE + path))
    assert answer.status_code == 200, rig.account.actions()["login_audit_trail"]({})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"realm": "1234567"}, "the realm is not"),
        ({"consumer_secret": "wrong"}, "the signature does not match"),
        ({"token_secret": "wrong"}, "the signature does not match"),
        ({"token_id": "wrong"}, "the consumer key or the token is unknown"),
        ({"timestamp": "1790000000"}, "oauth_timestamp is more than 300 seconds off"),
        ({"nonce": "short"}, "oauth_nonce has fewer than 6 characters"),
        ({"signature_method": "HMAC-SHA1"}, "the signature method HMAC-SHA1 is not supported"),
    ],
)
async def test_wrong_signature_is_refused(rig: Rig, changes: dict[str, str], reason: str) -> None:
    url = f"{BASE}{RECORDS}/contact"
    answer = await rig.http.get(url, headers=_signed(rig, url, **changes))
    assert answer.status_code == 401
    challenge = (
        'OAuth realm="1234567_SB1", error="token_rejected", error_description="Invalid login attempt."'
    )
    assert answer.headers["www-authenticate"] == challenge
    assert rig.account.actions()["login_audit_trail"]({})["refused"][-1]["reason"].startswith(reason)


async def test_signature_covers_method_and_query_and_works_once(rig: Rig) -> None:
    url = f"{BASE}{RECORDS}/contact?limit=5"
    headers = _signed(rig, url)
    assert (await rig.http.get(url, headers=headers)).status_code == 200
    assert (await rig.http.get(url, headers=headers)).status_code == 401
    other = _signed(rig, url)
    assert (await rig.http.get(url.replace("=5", "=6"), headers=other)).status_code == 401
    assert (await rig.http.request("OPTIONS", url, headers=_signed(rig, url))).status_code == 401


async def test_role_without_login_permission(rig: Rig) -> None:
    rig.switches.role_permissions = {"ADMI_LOGIN_OAUTH2": "NONE"}
    assert (await rig.http.get(f"{RECORDS}/contact")).status_code == 401
    url = f"{BASE}{RECORDS}/contact"
    assert (await rig.http.get(url, headers=_signed(rig, url))).status_code == 200


async def test_rsa_certificate_must_be_long_enough(rig: Rig) -> None:
    rig.switches.rsa_min_bits = 4096
    with pytest.raises(SiteError, match="at least 4096 bits"):
        rig.account.actions()["upload_certificate"](
            {"certificate": rig.account.credentials()["rsa"]["certificate"]}
        )
    with pytest.raises(SiteError, match="no certificate"):
        rig.account.actions()["upload_certificate"]({"certificate": "nonsense"})


async def test_credentials_outlive_a_restart(tmp_path: Any) -> None:
    path = str(tmp_path / "account.sqlite")
    first = NetSuiteAccount(Clock(), path=path)
    before, customer = (
        first.credentials(),
        first.insert("customer", {"companyName": "Acme", "subsidiary": "1"}),
    )
    first.close()
    second = NetSuiteAccount(Clock(), path=path)
    assert second.credentials() == before
    assert second.read("customer", customer)["companyName"] == "Acme"
    second.reset()
    assert second.credentials() == before and second.count("customer") == 0
    second.close()
