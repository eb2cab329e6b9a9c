"""Logins of the emulated org (salesforce.md 1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.unit.sandbox_salesforce_rig import OrgRig, V, org_rig

from twinbook_sandbox.salesforce.identity import make_key_pair

TOKEN = "/services/oauth2/token"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@pytest.fixture
def rig() -> Iterator[OrgRig]:
    with org_rig() as rig:
        yield rig


def claims(rig: OrgRig, **changes: Any) -> dict[str, Any]:
    login = rig.org.credentials()
    now = int(rig.clock.now().timestamp())
    right = {
        "iss": login["consumer_key"],
        "sub": login["username"],
        "aud": "https://login.salesforce.com",
        "exp": now + 180,
    }
    return right | changes


def log_in(rig: OrgRig, payload: dict[str, Any], key: Any = None, algorithm: str = "RS256") -> Any:
    assertion = jwt.encode(payload, key or rig.org.credentials()["private_key"], algorithm=algorithm)
    return rig.http.post(TOKEN, data={"grant_type": JWT_BEARER, "assertion": assertion})


def test_jwt_bearer(rig: OrgRig) -> None:
    login = rig.org.credentials()
    answer = log_in(rig, claims(rig)).json()
    assert answer["id"] == f"https://login.salesforce.com/id/{login['org_id']}/{login['user_id']}"
    assert (answer["instance_url"], answer["token_type"]) == ("http://testserver", "Bearer")
    assert isinstance(answer["issued_at"], str)
    assert "expires_in" not in answer
    assert "refresh_token" not in answer
    session = rig.org.check_token(answer["access_token"])
    assert session is not None
    assert (session.user_id, session.org_id) == (login["user_id"], login["org_id"])


@pytest.mark.parametrize(
    ("changes", "error", "description"),
    [
        ({"iss": "other"}, "invalid_client_id", "client identifier invalid"),
        ({"sub": "nobody@example.com"}, "invalid_grant", "user hasn't approved this consumer"),
        ({"aud": "https://example.com"}, "invalid_grant", "audience is invalid"),
        ({"exp": 1}, "invalid_grant", "expired assertion"),
        ({"exp": 4_000_000_000}, "invalid_grant", "invalid assertion"),
        ({"exp": "soon"}, "invalid_grant", "invalid assertion"),
    ],
)
def test_wrong_claims(rig: OrgRig, changes: Any, error: str, description: str) -> None:
    response = log_in(rig, claims(rig, **changes))
    assert response.status_code == 400
    assert response.json() == {"error": error, "error_description": description}


def test_foreign_key_and_algorithm(rig: OrgRig) -> None:
    foreign = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for response in (
        log_in(rig, claims(rig), foreign),
        log_in(rig, claims(rig), rig.org.credentials()["consumer_secret"], "HS256"),
        rig.http.post(TOKEN, data={"grant_type": JWT_BEARER, "assertion": "nonsense"}),
    ):
        assert response.json() == {"error": "invalid_grant", "error_description": "invalid assertion"}


def test_another_certificate_may_be_uploaded(rig: OrgRig) -> None:
    key, certificate = make_key_pair()
    assert log_in(rig, claims(rig), key).status_code == 400
    rig.org.actions()["set_certificate"]({"certificate": certificate})
    assert log_in(rig, claims(rig), key).status_code == 200


def test_my_domain_audience_by_switch(rig: OrgRig) -> None:
    assert log_in(rig, claims(rig, aud="http://testserver")).status_code == 200
    rig.org.switches.my_domain_audience = False
    assert log_in(rig, claims(rig, aud="http://testserver")).status_code == 400


def test_client_credentials_by_form_or_header(rig: OrgRig) -> None:
    login = rig.org.credentials()
    pair = (login["consumer_key"], login["consumer_secret"])
    by_header = rig.http.post(TOKEN, data={"grant_type": "client_credentials"}, auth=pair)
    assert by_header.status_code == 200
    wrong = rig.http.post(TOKEN, data={"grant_type": "client_credentials"}, auth=(pair[0], "wrong"))
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    password = rig.http.post(TOKEN, data={"grant_type": "password"})
    assert password.json()["error"] == "unsupported_grant_type"


def test_revoke_ends_the_session(rig: OrgRig) -> None:
    token = rig.log_in()
    assert rig.http.post("/services/oauth2/revoke", data={"token": token}).status_code == 200
    assert rig.http.get(f"{V}/limits").status_code == 401
    assert rig.org.check_token(token) is None


def test_each_login_opens_a_session_unless_switched(rig: OrgRig) -> None:
    assert rig.log_in() != rig.log_in()
    rig.org.switches.same_session_per_login = True
    assert rig.log_in() == rig.log_in()
    assert rig.org.revoke_tokens() == 3


def test_userinfo_and_introspect(rig: OrgRig) -> None:
    login = rig.org.credentials()
    about = rig.http.get("/services/oauth2/userinfo").json()
    assert (about["user_id"], about["organization_id"]) == (login["user_id"], login["org_id"])
    form = {
        "token": rig.http.headers["Authorization"].partition(" ")[2],
        "client_id": login["consumer_key"],
        "client_secret": login["consumer_secret"],
    }
    assert rig.http.post("/services/oauth2/introspect", data=form).json()["active"] is True
    form["token"] = "gone"
    assert rig.http.post("/services/oauth2/introspect", data=form).json() == {"active": False}
