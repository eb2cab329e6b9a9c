"""OAuth 2.0 client credentials: the token endpoint and the sessions it opens (netsuite.md 1.2)."""

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from jwt.types import Options

from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.netsuite.credentials import Certificate, Credentials
from twinbook_sandbox.netsuite.switches import NetSuiteSwitches

TOKEN_PATH = "/services/rest/auth/oauth2/v1/token"  # noqa: S105 - a path
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
SCOPES = frozenset(["rest_webservices", "restlets", "suite_analytics"])
MAX_ASSERTION_LIFE_S = 3600
MAX_SESSIONS = 10_000


@dataclass(frozen=True)
class TokenRefusal(Exception):
    """An error answer of the token endpoint; ``reason`` is for the login audit trail only."""

    error: str
    reason: str

    @property
    def status(self) -> int:
        """401 for a client that is not known, else 400."""
        return 401 if self.error == "invalid_client" else 400


@dataclass(frozen=True, slots=True)
class Session:
    """What an access token stands for."""

    scopes: frozenset[str]
    ends: datetime


class TokenService:
    """Checks signed assertions and hands out access tokens."""

    def __init__(self, credentials: Credentials, switches: NetSuiteSwitches, clock: Clock) -> None:
        self._credentials = credentials
        self._switches = switches
        self._clock = clock
        self._secret = secrets.token_bytes(32)
        self._sessions: dict[str, Session] = {}

    def issue(self, form: Sequence[tuple[str, str]], audiences: Sequence[str]) -> dict[str, Any]:
        """Answer a token request; ``audiences`` are the URLs under which the endpoint is known."""
        assertion = _assertion(form)
        claims = self._verified(assertion, audiences)
        self._check_times(claims)
        scopes = _scopes(claims.get("scope"))
        life = self._switches.token_life_s
        token = self._open(scopes, life)
        expires_in: int | str = str(life) if self._switches.expires_in_as_text else life
        return {"access_token": token, "expires_in": expires_in, "token_type": "Bearer"}

    def session(self, token: str) -> Session | None:
        """The session of an access token that is still good."""
        session = self._sessions.get(token)
        return session if session is not None and session.ends > self._clock.now() else None

    def revoke_all(self) -> int:
        """End all sessions; returns how many there were."""
        now = self._clock.now()
        count = sum(session.ends > now for session in self._sessions.values())
        self._sessions.clear()
        return count

    def _open(self, scopes: frozenset[str], life: int) -> str:
        now = self._clock.now()
        self._sessions = {token: one for token, one in self._sessions.items() if one.ends > now}
        if len(self._sessions) >= MAX_SESSIONS:
            self._sessions.pop(next(iter(self._sessions)))
        payload = {"sub": "17;3", "scope": sorted(scopes), "jti": secrets.token_hex(8)}
        token = jwt.encode(payload, self._secret, algorithm="HS256", headers={"kid": "s.SYSTEM.2026_1"})
        self._sessions[token] = Session(scopes, now + timedelta(seconds=life))
        return token

    def _verified(self, assertion: str, audiences: Sequence[str]) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(assertion)
        except jwt.PyJWTError as error:
            raise TokenRefusal("invalid_request", "the assertion is no JWT") from error
        algorithm = header.get("alg")
        if algorithm not in ALGORITHMS:
            raise TokenRefusal(
                "invalid_request", f"the algorithm {algorithm} is none of {', '.join(ALGORITHMS)}"
            )
        certificate = self._usable(str(header.get("kid", "")))
        # Times are checked by the sandbox's clock, and the issuer below, with reasons of their own.
        unchecked: Options = {
            "verify_exp": False,
            "verify_iat": False,
            "verify_nbf": False,
            "verify_aud": False,
        }
        try:
            claims = jwt.decode(assertion, certificate.key, algorithms=[algorithm], options=unchecked)
        except jwt.PyJWTError as error:
            raise TokenRefusal(
                "invalid_client", f"the signature is not the certificate's: {error}"
            ) from error
        if claims.get("iss") != self._credentials.client_id:
            raise TokenRefusal("invalid_client", "iss is not the client id of the integration")
        if claims.get("aud") not in audiences:
            raise TokenRefusal("invalid_request", f"aud is not the token endpoint {audiences[0]}")
        return dict(claims)

    def _usable(self, kid: str) -> Certificate:
        certificate = self._credentials.certificate(kid)
        if certificate is None:
            raise TokenRefusal("invalid_client", "no certificate is registered with this kid")
        valid = certificate.valid_from <= self._clock.now() <= certificate.valid_until
        if self._switches.check_certificate_validity and not valid:
            raise TokenRefusal("invalid_client", "the certificate is not valid now")
        return certificate

    def _check_times(self, claims: dict[str, Any]) -> None:
        issued, expires = claims.get("iat"), claims.get("exp")
        if not isinstance(issued, int | float) or not isinstance(expires, int | float):
            raise TokenRefusal("invalid_request", "iat and exp must be numbers")
        if not 0 < expires - issued <= MAX_ASSERTION_LIFE_S:
            raise TokenRefusal("invalid_request", "exp must be at most 60 minutes after iat")
        now, skew = self._clock.now().timestamp(), self._switches.clock_skew_s
        if expires + skew < now:
            raise TokenRefusal("invalid_grant", "the assertion has expired")
        if issued - skew > now:
            raise TokenRefusal("invalid_grant", "the assertion is not yet valid")


def _assertion(form: Sequence[tuple[str, str]]) -> str:
    counts = Counter(name for name, _ in form)
    fields = dict(form)
    if any(count > 1 for count in counts.values()):
        raise TokenRefusal("invalid_request", "a parameter is given twice")
    grant = fields.get("grant_type")
    if grant is None:
        raise TokenRefusal("invalid_request", "grant_type is missing")
    if grant != "client_credentials":
        raise TokenRefusal("unsupported_grant_type", f"the grant type {grant} is not supported")
    if fields.get("client_assertion_type") != ASSERTION_TYPE or not fields.get("client_assertion"):
        raise TokenRefusal("invalid_request", "client_assertion_type or client_assertion will not do")
    return fields["client_assertion"]


def _scopes(claim: Any) -> frozenset[str]:
    """Array, comma- and space-separated text are all seen in working clients (netsuite.md 1.2)."""
    listed = claim.replace(",", " ").split() if isinstance(claim, str) else claim
    if not isinstance(listed, list) or not listed or not all(isinstance(one, str) for one in listed):
        raise TokenRefusal("invalid_scope", "scope must name at least one scope")
    scopes = frozenset(listed)
    if scopes - SCOPES:
        raise TokenRefusal("invalid_scope", f"unknown scope {min(scopes - SCOPES)}")
    return scopes
