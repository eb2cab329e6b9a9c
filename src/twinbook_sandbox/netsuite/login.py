"""Who makes an API call: bearer tokens, TBA signatures, and the answers to those that are neither (netsuite.md 1.3)."""

from collections import deque
from typing import Any

from starlette.requests import Request

from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.netsuite.credentials import ACCOUNT_ID
from twinbook_sandbox.netsuite.errors import NetSuiteError
from twinbook_sandbox.netsuite.oauth import TokenService
from twinbook_sandbox.netsuite.permissions import Permissions
from twinbook_sandbox.netsuite.rules import Actor
from twinbook_sandbox.netsuite.suiteql_tables import INTEGRATION_USER
from twinbook_sandbox.netsuite.tba import TbaRefusal, TbaVerifier
from twinbook_sandbox.netsuite.times import utc_text

AUDIT_LENGTH = 200
_DETAIL = (
    "Invalid login attempt. For more details, see the Login Audit Trail in the NetSuite UI at "
    "Setup > Users/Roles > User Management > View Login Audit Trail."
)
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class Gatekeeper:
    """Lets calls in or answers 401, and keeps the login audit trail."""

    def __init__(
        self, tokens: TokenService, tba: TbaVerifier, permissions: Permissions, clock: Clock
    ) -> None:
        self._tokens = tokens
        self._tba = tba
        self._permissions = permissions
        self._clock = clock
        self.audit: deque[dict[str, Any]] = deque(maxlen=AUDIT_LENGTH)
        """Refused logins with their reasons, which the answers do not tell."""

    def enter(self, request: Request, scope: str = "rest_webservices") -> Actor:
        """The user behind a call; :class:`NetSuiteError` 401 (or 400 for a malformed token)."""
        header = request.headers.get("authorization", "")
        scheme, _, rest = header.partition(" ")
        if scheme.lower() == "bearer":
            self._check_bearer(rest.strip(), scope)
        elif scheme.lower() == "oauth":
            self._check_tba(header, request, scope)
        else:
            raise self.refused("no login is given", _bearer_challenge())
        return Actor(INTEGRATION_USER)

    def refused(self, reason: str, challenge: str) -> NetSuiteError:
        """A 401, noted in the audit trail."""
        self.note(reason)
        return NetSuiteError(401, "INVALID_LOGIN", _DETAIL, headers={"WWW-Authenticate": challenge})

    def note(self, reason: str) -> None:
        """Add a refused login to the audit trail."""
        self.audit.append({"time": utc_text(self._clock.now()), "reason": reason})

    def _check_bearer(self, token: str, scope: str) -> None:
        if token.count(".") != 2:
            text = "The request could not be understood by the server due to malformed syntax."
            challenge = _bearer_challenge("invalid_request", text)
            self.note("the bearer token is malformed")
            raise NetSuiteError(400, "INVALID_REQUEST", text, headers={"WWW-Authenticate": challenge})
        session = self._tokens.session(token)
        if session is None:
            raise self.refused("the bearer token is unknown or has expired", _bearer_challenge())
        self._require("ADMI_LOGIN_OAUTH2", scope, _bearer_challenge())
        if scope not in session.scopes:
            raise self.refused(f"the token lacks the scope {scope}", _bearer_challenge())

    def _check_tba(self, header: str, request: Request, scope: str) -> None:
        challenge = (
            f'OAuth realm="{ACCOUNT_ID}", error="token_rejected", error_description="Invalid login attempt."'
        )
        try:
            query = request.scope["query_string"].decode("latin-1")
            self._tba.verify(header, request.method, signed_url(request), query)
        except TbaRefusal as refusal:
            raise self.refused(refusal.reason, challenge) from refusal
        self._require("ADMI_LOGIN_OAUTH", scope, challenge)

    def _require(self, permission: str, scope: str, challenge: str) -> None:
        """RESTlets need no permission for web services; their deployment says who may call them."""
        for key in (permission, *(("ADMI_RESTWEBSERVICES",) if scope == "rest_webservices" else ())):
            if not self._permissions.allows(key, "FULL"):
                raise self.refused(f"the role lacks the permission {key}", challenge)


def _bearer_challenge(error: str = "invalid_token", text: str = "Invalid login attempt.") -> str:
    number = ACCOUNT_ID.partition("_")[0]
    return f'Bearer realm="{number}", error="{error}", error_description="{text}"'


def signed_url(request: Request) -> str:
    """The URL as a signature covers it: as sent, without default port and query (RFC 5849, 3.4.1.2)."""
    scheme = request.url.scheme
    host = request.headers.get("host", "").lower().removesuffix(_DEFAULT_PORTS.get(scheme, ""))
    path = request.scope.get("raw_path") or request.url.path.encode()
    return f"{scheme}://{host}{path.decode('latin-1').partition('?')[0]}"
