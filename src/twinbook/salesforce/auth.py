"""Login for servers: JWT bearer and client credentials, and one token that everybody shares.

The token has no known end (salesforce.md 1.4): it is used until the org refuses it, and whoever is refused
invalidates the very token that failed, so that a late refusal never throws away a newer one.

    tokens = TokenProvider(http, "https://acme.my.salesforce.com", grant, time.time)
    token = await tokens.token()
    ...  # 401, or UNAUTHENTICATED from the Pub/Sub API
    tokens.invalidate(token)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlencode

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.http import Http, HttpResponse

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_SECONDS = 180
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
TEMPORARY_ERRORS = frozenset({"rate_limit_exceeded", "temporarily_unavailable", "server_error"})

# (error, fragment of its description) -> what to do; the first that fits (salesforce.md 1.5)
REMEDIES: tuple[tuple[str, str, str], ...] = (
    (
        "invalid_grant",
        "hasn't approved",
        "Pre-authorise the integration user: in the app's policies set 'Admin approved users are "
        "pre-authorized' and add the user's profile or permission set.",
    ),
    (
        "invalid_grant",
        "not admin approved",
        "Add the integration user's profile or permission set to the app's policies.",
    ),
    (
        "invalid_grant",
        "audience",
        "Set the audience to https://login.salesforce.com, or https://test.salesforce.com for a sandbox.",
    ),
    ("invalid_grant", "inactive user", "Activate the integration user in Setup > Users."),
    (
        "invalid_grant",
        "no client credentials user",
        "Choose a 'Run As' user in the client credentials section of the app's policies.",
    ),
    (
        "invalid_grant",
        "assertion",
        "Check that the clock of this machine is right, and that the certificate uploaded to the app belongs "
        "to the private key in the settings.",
    ),
    (
        "invalid_grant",
        "",
        "Check the user name, that the certificate uploaded to the app belongs to the private key, and the "
        "login history of the integration user in Salesforce.",
    ),
    ("invalid_client", "", "Check the consumer key and, for client credentials, the consumer secret."),
    ("invalid_client_id", "", "Check the consumer key in the settings."),
    (
        "invalid_app_access",
        "",
        "Add the integration user's profile or permission set to the app's policies.",
    ),
    (
        "unsupported_grant_type",
        "",
        "Enable this OAuth flow in the app. Client credentials work on the My Domain address only.",
    ),
    ("inactive_user", "", "Activate the integration user in Setup > Users."),
    ("inactive_org", "", "The org is inactive: ask Salesforce support."),
)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token with what belongs to it. Ids have 18 characters."""

    value: str = field(repr=False)
    instance_url: str
    org_id: str
    user_id: str


class Grant(Protocol):
    """A way to ask for a token."""

    def form(self, now: float) -> Mapping[str, str]:
        """Form fields of the token request; `now` in epoch seconds."""
        ...


@dataclass(frozen=True, slots=True)
class JwtBearer:
    """A user who is known by a certificate uploaded to the app; no shared secret."""

    client_id: str
    username: str
    private_key: RSAPrivateKey = field(repr=False)
    audience: str = "https://login.salesforce.com"

    def form(self, now: float) -> Mapping[str, str]:
        claims = {
            "iss": self.client_id,
            "sub": self.username,
            "aud": self.audience,
            "exp": int(now) + ASSERTION_SECONDS,
        }
        return {
            "grant_type": JWT_BEARER,
            "assertion": jwt.encode(claims, self.private_key, algorithm="RS256"),
        }


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """The app's own secret; works on the My Domain host only (salesforce.md 1.2)."""

    client_id: str
    client_secret: str = field(repr=False)

    def form(self, now: float) -> Mapping[str, str]:  # noqa: ARG002 - a secret has no date
        return {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }


def read_private_key(source: Path | str) -> RSAPrivateKey:
    """An RSA key from a PEM file, or from PEM text; `PermanentError` when it is neither."""
    try:
        pem = source.read_bytes() if isinstance(source, Path) else source.encode()
        key = load_pem_private_key(pem, password=None)
    except OSError as problem:
        raise _bad_key(f"{source} cannot be read: {problem.strerror}") from problem
    except (ValueError, TypeError, UnsupportedAlgorithm) as problem:
        raise _bad_key("the private key is no unencrypted key in PEM form") from problem
    if not isinstance(key, RSAPrivateKey):
        raise _bad_key("the private key is no RSA key, which Salesforce asks for")
    return key


def _bad_key(message: str) -> PermanentError:
    return PermanentError(
        "INVALID_PRIVATE_KEY",
        message,
        field="private_key",
        remedy="Name the PEM file that begins with 'BEGIN PRIVATE KEY' and whose certificate is uploaded to "
        "the app.",
    )


class TokenProvider:
    """Holds the one token of a login. However many ask at once, one request goes out."""

    def __init__(self, http: Http, login_url: str, grant: Grant, clock: Callable[[], float]) -> None:
        self._http = http
        self._url = login_url.rstrip("/") + "/services/oauth2/token"
        self._grant = grant
        self._clock = clock
        self._token: Token | None = None
        self._minting: asyncio.Task[Token] | None = None

    async def token(self) -> Token:
        """The token in use, or a new one. Raises `PermanentError` with a remedy when the login is refused."""
        if self._token is not None:
            return self._token
        if self._minting is None:
            self._minting = asyncio.create_task(self._mint())
            self._minting.add_done_callback(self._minted)
        return await asyncio.shield(self._minting)

    def invalidate(self, token: Token) -> None:
        """Forget `token` after it was refused; a newer one stays."""
        if self._token == token:
            self._token = None

    def _minted(self, task: asyncio.Task[Token]) -> None:
        self._minting = None
        if not task.cancelled() and task.exception() is None:
            self._token = task.result()

    async def _mint(self) -> Token:
        form = urlencode(self._grant.form(self._clock()))
        response = await self._http.request("POST", self._url, headers=FORM, data=form.encode())
        if response.status != 200:
            raise login_error(response)
        return _token(response)


def _token(response: HttpResponse) -> Token:
    try:
        answer = response.json()
        org_id, user_id = answer["id"].rstrip("/").split("/")[-2:]
        return Token(answer["access_token"], answer["instance_url"].rstrip("/"), org_id, user_id)
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise PermanentError(
            "INVALID_TOKEN_RESPONSE",
            "the login address answered, but not with a token",
            field="login_url",
            remedy="Check that login_url is the address of a Salesforce org, such as "
            "https://acme.my.salesforce.com.",
        ) from problem


def login_error(response: HttpResponse) -> TemporaryError | PermanentError:
    """The refusal of a token request, as one of the two kinds (salesforce.md 1.5)."""
    try:
        answer = response.json()
        code, text = str(answer["error"]), str(answer.get("error_description") or answer["error"])
    except (ValueError, KeyError, TypeError, AttributeError):
        code, text = f"HTTP_{response.status}", "the login address gave no reason"
    busy = response.status == 429 or response.status >= 500 or "login rate exceeded" in text.lower()
    if busy or code in TEMPORARY_ERRORS:
        return TemporaryError(code, f"login: {text}", retry_after=response.retry_after)
    return PermanentError(code, f"login: {text}", remedy=_remedy(code, text.lower()))


def _remedy(code: str, text: str) -> str:
    for known, fragment, remedy in REMEDIES:
        if known == code and fragment in text:
            return remedy
    return "Check login_url and the login settings of Salesforce; the org's login history names the reason."
