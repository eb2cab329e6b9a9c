"""OAuth 2.0 endpoints of the org: JWT bearer, client credentials, revoke, introspect, userinfo (salesforce.md 1)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import jwt
from cryptography.x509 import load_pem_x509_certificate

from twinbook_sandbox.salesforce.api import Reply
from twinbook_sandbox.salesforce.identity import Person
from twinbook_sandbox.salesforce.sessions import SessionInfo
from twinbook_sandbox.salesforce.state import OrgState

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LOGIN_HOSTS = ("https://login.salesforce.com", "https://test.salesforce.com")
_LONGEST_VALIDITY_SECONDS = 300
_SKEW_SECONDS = 180
_SCOPE = "api"


class OAuthError(Exception):
    """A refused login."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.reply = Reply(status, {"error": error, "error_description": description})


@dataclass(frozen=True, slots=True)
class OAuthCall:
    """A request for an OAuth endpoint: form fields or query parameters, lower-case header names, and the
    address under which the client reached the org."""

    parameters: Mapping[str, str]
    headers: Mapping[str, str]
    host_url: str


class OAuth:
    """The endpoints under `/services/oauth2`."""

    def __init__(self, org: OrgState) -> None:
        self._org = org

    def handle(self, endpoint: str, call: OAuthCall) -> Reply:
        """Answer a request for `token`, `revoke`, `introspect` or `userinfo`."""
        endpoints = {
            "token": self.token,
            "revoke": self.revoke,
            "introspect": self.introspect,
            "userinfo": self.userinfo,
        }
        if endpoint not in endpoints:
            return Reply(404, {"error": "invalid_request", "error_description": "no such endpoint"})
        try:
            return endpoints[endpoint](call)
        except OAuthError as error:
            return error.reply

    def token(self, call: OAuthCall) -> Reply:
        """Start a session."""
        grant = call.parameters.get("grant_type")
        if grant == JWT_BEARER:
            user = self._user_of_assertion(call.parameters.get("assertion", ""), call.host_url)
        elif grant == "client_credentials":
            self._check_client(call)
            user = self._org.identity.integration
        else:
            raise OAuthError("unsupported_grant_type", "grant type not supported")
        return Reply(200, self._granted(self._session(user), call.host_url))

    def _session(self, user: Person) -> SessionInfo:
        sessions, client = self._org.sessions, self._org.identity.consumer_key
        live = sessions.of_user(user.id_, client) if self._org.switches.same_session_per_login else None
        return live or sessions.open(user.id_, client)

    def _granted(self, session: SessionInfo, host_url: str) -> dict[str, str]:
        identity_url = f"{LOGIN_HOSTS[0]}/id/{session.org_id}/{session.user_id}"
        issued_at = str(int(self._org.clock.now().timestamp() * 1000))
        secret = self._org.identity.consumer_secret.encode()
        signature = hmac.new(secret, f"{identity_url}{issued_at}".encode(), hashlib.sha256).digest()
        return {
            "access_token": session.token,
            "signature": base64.b64encode(signature).decode(),
            "scope": _SCOPE,
            "instance_url": self._org.login_url or host_url,
            "id": identity_url,
            "token_type": "Bearer",
            "issued_at": issued_at,
        }

    def _check_client(self, call: OAuthCall) -> None:
        client_id, secret = _client_of(call)
        identity = self._org.identity
        if client_id != identity.consumer_key:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        if not hmac.compare_digest(secret.encode(), identity.consumer_secret.encode()):
            raise OAuthError("invalid_client", "invalid client credentials", 401)

    def _user_of_assertion(self, assertion: str, host_url: str) -> Person:
        """The user of a JWT assertion whose claims and signature hold (salesforce.md 1.3)."""
        claims = _claims_of(assertion)
        if claims.get("iss") != self._org.identity.consumer_key:
            raise OAuthError("invalid_client_id", "client identifier invalid")
        self._check_signature(assertion)
        audiences = {*LOGIN_HOSTS}
        if self._org.switches.my_domain_audience:
            audiences |= {self._org.login_url, host_url}
        if str(claims.get("aud", "")).rstrip("/") not in audiences:
            raise OAuthError("invalid_grant", "audience is invalid")
        self._check_expiry(claims.get("exp"))
        user = self._org.identity.find_user(str(claims.get("sub", "")))
        if user is None or user.username != claims.get("sub"):
            raise OAuthError("invalid_grant", "user hasn't approved this consumer")
        return user

    def _check_signature(self, assertion: str) -> None:
        key: Any = load_pem_x509_certificate(self._org.certificate.encode()).public_key()
        checks = {"verify_aud": False, "verify_exp": False, "verify_iat": False, "verify_nbf": False}
        try:
            jwt.decode(assertion, key, algorithms=["RS256"], options=checks)  # type: ignore[arg-type]
        except jwt.InvalidTokenError:
            raise OAuthError("invalid_grant", "invalid assertion") from None

    def _check_expiry(self, exp: object) -> None:
        try:
            moment = float(str(exp))  # clients in the field send it as a text, too
        except ValueError:
            raise OAuthError("invalid_grant", "invalid assertion") from None
        left = moment - self._org.clock.now().timestamp()
        if left < -_SKEW_SECONDS:
            raise OAuthError("invalid_grant", "expired assertion")
        if left > _LONGEST_VALIDITY_SECONDS + _SKEW_SECONDS:
            raise OAuthError("invalid_grant", "invalid assertion")

    def revoke(self, call: OAuthCall) -> Reply:
        """End a session: 200 without a body."""
        if not self._org.sessions.close(call.parameters.get("token", "")):
            raise OAuthError("unsupported_token_type", "this token is not supported or has ended already")
        return Reply(200)

    def introspect(self, call: OAuthCall) -> Reply:
        """Whether a token stands for a live session, and whose."""
        self._check_client(call)
        session = self._org.sessions.check(call.parameters.get("token", ""))
        if session is None:
            return Reply(200, {"active": False})
        user = self._org.identity.find_user(session.user_id)
        ends = self._org.clock.now().timestamp() + self._org.switches.session_timeout_seconds
        about = {
            "active": True,
            "scope": _SCOPE,
            "client_id": session.client_id,
            "username": user.username if user else None,
            "sub": session.user_id,
            "token_type": "access_token",
            "exp": int(ends),
        }
        return Reply(200, about)

    def userinfo(self, call: OAuthCall) -> Reply:
        """The user of the session."""
        token = call.headers.get("authorization", "").partition(" ")[2]
        session = self._org.sessions.check(token)
        user = self._org.identity.find_user(session.user_id) if session else None
        if session is None or user is None:
            return Reply(403, b"Bad_OAuth_Token", {}, "text/html; charset=UTF-8")
        return Reply(
            200,
            {
                "sub": f"{LOGIN_HOSTS[0]}/id/{session.org_id}/{user.id_}",
                "user_id": user.id_,
                "organization_id": session.org_id,
                "preferred_username": user.username,
                "name": user.last_name,
                "active": True,
            },
        )


def _client_of(call: OAuthCall) -> tuple[str, str]:
    scheme, _, encoded = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return call.parameters.get("client_id", ""), call.parameters.get("client_secret", "")
    try:
        client_id, _, secret = base64.b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise OAuthError("invalid_client", "invalid client credentials", 401) from None
    return unquote(client_id), unquote(secret)


def _claims_of(assertion: str) -> dict[str, Any]:
    try:
        return dict(jwt.decode(assertion, options={"verify_signature": False}))
    except jwt.InvalidTokenError:
        raise OAuthError("invalid_grant", "invalid assertion") from None
