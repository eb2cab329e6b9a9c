"""Single sign-on by OpenID Connect: the authorization code flow with PKCE (OpenID Connect Core 3.1, RFC 7636).

The provider's own words (endpoints, keys) are fetched when they are needed and kept for an hour.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from twinbook.domain.errors import SideError
from twinbook.http import Http
from twinbook.settings.web import OidcSettings
from twinbook.web.access.roles import Role
from twinbook.web.problems import Problem

KEPT_SECONDS: Final = 3600.0
LEEWAY: Final = 60
ALGORITHMS: Final = ["RS256", "PS256", "ES256", "RS384", "PS384", "ES384", "RS512", "PS512", "ES512", "EdDSA"]
SCOPE: Final = "openid profile email"


@dataclass(frozen=True, slots=True)
class Pending:
    """A sign-in that has begun; it waits, sealed, in the browser that began it."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the provider vouches for. `role` is None where their groups let them in nowhere."""

    issuer: str
    subject: str
    login: str
    name: str
    role: Role | None


class Oidc:
    """One provider. Raises `Problem` with a remedy whenever something is not as it should be."""

    def __init__(self, settings: OidcSettings, http: Http, now: Callable[[], float]) -> None:
        assert settings.issuer is not None  # noqa: S101 - without one there is no single sign-on
        self._settings = settings
        self._issuer = settings.issuer
        self._http = http
        self._now = now
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}

    async def begin(self, redirect_uri: str) -> tuple[str, Pending]:
        """Where to send the browser, and what to remember."""
        provider = await self._provider()
        pending = Pending(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48))
        address: str = prepare_grant_uri(
            provider["authorization_endpoint"],
            client_id=self._settings.client_id,
            response_type="code",
            redirect_uri=redirect_uri,
            scope=SCOPE,
            state=pending.state,
            nonce=pending.nonce,
            code_challenge=create_s256_code_challenge(pending.verifier),
            code_challenge_method="S256",
        )
        return address, pending

    async def finish(self, code: str, pending: Pending, redirect_uri: str) -> Identity:
        """The identity that the code stands for."""
        provider = await self._provider()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "client_id": self._settings.client_id,
            "code_verifier": pending.verifier,
        }
        answer = await self._call("POST", provider["token_endpoint"], form)
        return self._identity(await self._claims(answer.get("id_token"), provider, pending.nonce))

    async def _claims(self, token: Any, provider: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        if not isinstance(token, str):
            raise _refused("It sent no id token.")
        keys = KeySet.import_key_set(await self._fetched(provider["jwks_uri"]))  # type: ignore[arg-type]
        registry = jwt.JWTClaimsRegistry(
            now=lambda: int(self._now()),
            leeway=LEEWAY,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._settings.client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
            registry.validate(decoded.claims)
        except (JoseError, ValueError) as error:
            # The provider may have new keys: they are fetched anew at the next try.
            self._kept.clear()
            raise _refused(f"Its id token does not hold ({type(error).__name__}).") from None
        return decoded.claims

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        login = str(claims.get("email") or claims.get("preferred_username") or claims["sub"])
        name = str(claims.get("name") or login)
        return Identity(self._issuer, str(claims["sub"]), login.casefold(), name, self._role(claims))

    def _role(self, claims: Mapping[str, Any]) -> Role | None:
        given = claims.get(self._settings.groups_claim, [])
        groups = {given} if isinstance(given, str) else set(map(str, given))
        named = (
            (Role.ADMINISTRATOR, self._settings.administrators),
            (Role.OPERATOR, self._settings.operators),
            (Role.VIEWER, self._settings.viewers),
        )
        for role, wanted in named:
            if groups & set(wanted):
                return role
        return None if self._settings.viewers else Role.VIEWER

    async def _provider(self) -> dict[str, Any]:
        found = await self._fetched(f"{self._issuer}/.well-known/openid-configuration")
        if str(found.get("issuer", "")).rstrip("/") != self._issuer:
            raise _refused("It names another issuer than the settings. Correct web.oidc.issuer.")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if urlsplit(str(found.get(name, ""))).scheme not in ("https", urlsplit(self._issuer).scheme):
                raise _refused(f"It names no {name}.")
        return found

    async def _fetched(self, url: str) -> dict[str, Any]:
        at, kept = self._kept.get(url, (0.0, {}))
        if kept and self._now() - at < KEPT_SECONDS:
            return kept
        found = await self._call("GET", url)
        self._kept[url] = (self._now(), found)
        return found

    async def _call(self, method: str, url: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
        headers = {"Accept": "application/json"}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if form is not None and self._settings.client_secret is not None:
            # RFC 6749, 2.3.1: both parts are encoded before they are joined.
            parts = (self._settings.client_id, self._settings.client_secret.get_secret_value())
            joined = ":".join(quote(part, safe="") for part in parts)
            headers["Authorization"] = f"Basic {base64.b64encode(joined.encode()).decode()}"
        data = urlencode(form).encode() if form is not None else None
        try:
            answer = await self._http.request(method, url, headers=headers, data=data)
            found = answer.json()
        except (SideError, ValueError):
            raise _refused("It cannot be reached, or does not answer in JSON.") from None
        if answer.status != 200 or not isinstance(found, dict):
            raise _refused(f"It answered with status {answer.status}.")
        return found


def _refused(said: str) -> Problem:
    remedy = "Try again; if that does not help, show this to an administrator."
    return Problem(502, "The provider of single sign-on does not answer as it should", f"{said} {remedy}")
