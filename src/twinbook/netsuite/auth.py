"""How a call proves who it is: OAuth 2.0 client credentials with a signed assertion, or TBA for old installations.

Facts: netsuite.md 1.2, 1.3, 1.5. There is no refresh token: an OAuth 2.0 login signs a new assertion each time.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol
from urllib.parse import urlencode

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, Client

from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.http import Http, HttpResponse
from twinbook.netsuite.errors import error_from

TOKEN_PATH: Final = "/services/rest/auth/oauth2/v1/token"  # noqa: S105  (a path, not a secret)
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_LIFE_S: Final = 300
RENEW_AHEAD_S: Final = 300.0
DEFAULT_TOKEN_LIFE_S: Final = 3600.0
REFUSED_PAUSE_S: Final = 5.0
"""How long a refused login is not tried again: many refused tries can lock the access (netsuite.md 1.3)."""

_ES_BY_CURVE: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}

_REMEDIES: Final = {
    "invalid_client": (
        "Compare client id and certificate id with Setup > Integration > OAuth 2.0 Client Credentials Setup: "
        "no mapping belongs to them, the certificate expired, or the private key is not the certificate's."
    ),
    "invalid_grant": (
        "Check this machine's clock, and that the mapped user and role are active and may log in with OAuth 2.0."
    ),
    "invalid_scope": "Tick the REST Web Services scope on the integration record.",
    "invalid_request": "Check the account id and the base URL: the assertion must be addressed to this account.",
    "unsupported_grant_type": "Tick Client Credentials (Machine to Machine) Grant on the integration record.",
}


class Authorizer(Protocol):
    """Signs the calls of one account."""

    async def authorization(self, method: str, url: str) -> str:
        """The value of the Authorization header for a call; `url` with its query, as it will be sent."""
        ...

    def renewable(self, refused: str) -> bool:
        """Told that a header was refused with 401: whether the next one may fare better."""
        ...


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """What the integration record and its certificate mapping give. `private_key` is PEM, RSA or EC."""

    client_id: str
    certificate_id: str
    private_key: str = field(repr=False)
    scopes: tuple[str, ...] = ("rest_webservices",)


@dataclass(frozen=True, slots=True)
class TokenCredentials:
    """A TBA token. `account_id` in the form of the account, such as 1234567_SB1."""

    account_id: str
    consumer_key: str
    consumer_secret: str = field(repr=False)
    token_id: str = field(default="", repr=False)
    token_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class _Token:
    header: str
    renew_at: float


class OAuth2Login:
    """Bearer tokens, minted by one caller for all. `wall` is epoch seconds, `monotonic` never goes back."""

    def __init__(
        self,
        http: Http,
        base_url: str,
        credentials: Callable[[], ClientCredentials],
        *,
        wall: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        """`credentials` is asked at each login: keys are replaced while Twinbook runs. Raises `PermanentError`
        BAD_PRIVATE_KEY when the key cannot be used."""
        self._http = http
        self._token_url = base_url.rstrip("/") + TOKEN_PATH
        self._credentials = credentials
        _load_key(credentials().private_key)
        self._wall = wall
        self._monotonic = monotonic
        self._token: _Token | None = None
        self._renewed_at: float | None = None
        self._refusal: tuple[PermanentError, float] | None = None
        self._minting = asyncio.Lock()

    async def authorization(self, method: str, url: str) -> str:  # noqa: ARG002  (the same for every call)
        token = self._fresh()
        if token is None:
            async with self._minting:
                token = self._fresh() or await self._mint()
        return token.header

    def renewable(self, refused: str) -> bool:
        if self._token is not None and self._token.header == refused:
            now = self._monotonic()
            if self._renewed_at is not None and now - self._renewed_at < REFUSED_PAUSE_S:
                return False
            self._token, self._renewed_at = None, now
        return True

    def assertion(self) -> str:
        """A signed JWT that asks for a token (netsuite.md 1.2)."""
        credentials, now = self._credentials(), int(self._wall())
        key, algorithm = _load_key(credentials.private_key)
        claims = {
            "iss": credentials.client_id,
            "scope": list(credentials.scopes),
            "aud": self._token_url,
            "iat": now,
            "exp": now + ASSERTION_LIFE_S,
            "jti": secrets.token_urlsafe(16),
        }
        return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": credentials.certificate_id})

    def _fresh(self) -> _Token | None:
        token = self._token
        return token if token is not None and self._monotonic() < token.renew_at else None

    async def _mint(self) -> _Token:
        asked_at = self._monotonic()
        if self._refusal is not None and asked_at < self._refusal[1]:
            known = self._refusal[0]
            raise PermanentError(known.code, known.message, field=known.field, remedy=known.remedy)
        response = await self._ask_for_token()
        try:
            header, life = _token_of(response)
        except PermanentError as refusal:
            self._refusal = (refusal, asked_at + REFUSED_PAUSE_S)
            raise
        ahead = min(RENEW_AHEAD_S, life / 2)
        self._token = _Token(header, asked_at + life - ahead)
        return self._token

    async def _ask_for_token(self) -> HttpResponse:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion(),
        }
        try:
            return await self._http.request(
                "POST",
                self._token_url,
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                data=urlencode(form).encode(),
            )
        except TemporaryError as failure:  # a token that was lost on the way changed no record
            raise TemporaryError(failure.code, failure.message, retry_after=failure.retry_after) from failure


class TokenBasedLogin:
    """OAuth 1.0a signatures with HMAC-SHA256 (netsuite.md 1.5), for installations that have no OAuth 2.0 yet."""

    def __init__(self, credentials: TokenCredentials) -> None:
        self._client = Client(
            credentials.consumer_key,
            client_secret=credentials.consumer_secret,
            resource_owner_key=credentials.token_id,
            resource_owner_secret=credentials.token_secret,
            signature_method=SIGNATURE_HMAC_SHA256,
            realm=realm_of(credentials.account_id),
        )

    async def authorization(self, method: str, url: str) -> str:
        _, headers, _ = self._client.sign(url, http_method=method)  # without the body: NetSuite signs none
        return str(headers["Authorization"])

    def renewable(self, refused: str) -> bool:  # noqa: ARG002  (a new signature of the same token fares no better)
        return False


def host_of(account_id: str) -> str:
    """The base URL of an account: 1234567_SB1 is https://1234567-sb1.suitetalk.api.netsuite.com."""
    return f"https://{account_id.strip().lower().replace('_', '-')}.suitetalk.api.netsuite.com"


def realm_of(account_id: str) -> str:
    """The OAuth 1.0a realm of an account: upper case with underscores."""
    return account_id.strip().upper().replace("-", "_")


def _load_key(pem: str) -> tuple[RSAPrivateKey | EllipticCurvePrivateKey, str]:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as problem:
        raise _bad_key("it is no unencrypted PEM private key") from problem
    match key:
        case RSAPrivateKey():
            return key, "PS256"
        case EllipticCurvePrivateKey() if key.curve.name in _ES_BY_CURVE:
            return key, _ES_BY_CURVE[key.curve.name]
        case _:
            raise _bad_key("NetSuite takes RSA keys and EC keys on P-256, P-384 or P-521")


def _bad_key(why: str) -> PermanentError:
    return PermanentError(
        "BAD_PRIVATE_KEY",
        f"The private key for NetSuite cannot be used: {why}.",
        field="private_key",
        remedy="Give the PEM file of the key whose certificate was uploaded to NetSuite.",
    )


def _token_of(response: HttpResponse) -> tuple[str, float]:
    """The Authorization header and the life in seconds. `expires_in` is seen as number and as text."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise _unreadable(response)
    if response.status == 200 and isinstance(body.get("access_token"), str):
        try:
            life = float(body.get("expires_in", DEFAULT_TOKEN_LIFE_S))
        except (TypeError, ValueError):
            life = DEFAULT_TOKEN_LIFE_S
        return f"Bearer {body['access_token']}", life
    error = body.get("error")
    if isinstance(error, str) and error in _REMEDIES:
        said = body.get("error_description") or error
        raise PermanentError(error.upper(), f"NetSuite refused the login: {said}.", remedy=_REMEDIES[error])
    raise error_from(response, writing=False)


def _unreadable(response: HttpResponse) -> TemporaryError | PermanentError:
    if response.status >= 500 or response.status == 429 or response.status < 300:
        return TemporaryError(
            "NETSUITE_UNAVAILABLE",
            f"NetSuite's token endpoint answered HTTP {response.status} without a token.",
            retry_after=response.retry_after,
        )
    return error_from(response, writing=False)
