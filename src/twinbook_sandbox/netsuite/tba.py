"""Token-based authentication: the check of an OAuth 1.0a signature with HMAC-SHA256 (netsuite.md 1.5, RFC 5849)."""

import base64
import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote

from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.netsuite.credentials import ACCOUNT_ID, Credentials
from twinbook_sandbox.netsuite.switches import NetSuiteSwitches

MIN_NONCE = 6
MAX_NONCES = 200_000
_PARAMETER = re.compile(r'\s*([A-Za-z_]+)="([^"]*)"\s*(?:,|$)')
_REQUIRED = ("consumer_key", "token", "nonce", "timestamp", "signature_method", "signature")


@dataclass(frozen=True)
class TbaRefusal(Exception):
    """A signature that is not accepted; the reason is for the login audit trail only."""

    reason: str


class TbaVerifier:
    """Checks Authorization headers, and remembers nonces for as long as their timestamps are accepted."""

    def __init__(self, credentials: Credentials, switches: NetSuiteSwitches, clock: Clock) -> None:
        self._credentials = credentials
        self._switches = switches
        self._clock = clock
        self._seen: OrderedDict[tuple[str, str], float] = OrderedDict()

    def verify(self, header: str, method: str, url: str, query: str) -> None:
        """Check the header of a call; ``url`` is without its query. Raises :class:`TbaRefusal`."""
        given = {name: unquote(value) for name, value in _PARAMETER.findall(header.partition(" ")[2])}
        fields = {name.removeprefix("oauth_"): value for name, value in given.items()}
        for name in _REQUIRED:
            if not fields.get(name):
                raise TbaRefusal(f"oauth_{name} is missing")
        if fields.get("realm") != ACCOUNT_ID:
            raise TbaRefusal(f"the realm is not {ACCOUNT_ID}")
        if fields["signature_method"] != "HMAC-SHA256":
            raise TbaRefusal(f"the signature method {fields['signature_method']} is not supported")
        if fields.get("version", "1.0") != "1.0":
            raise TbaRefusal("oauth_version is not 1.0")
        secrets = self._credentials.tba_secrets(fields["consumer_key"], fields["token"])
        if secrets is None:
            raise TbaRefusal("the consumer key or the token is unknown")
        self._check_signature(given, secrets, method, url, query)
        self._check_fresh(fields)

    def _check_signature(
        self, given: Mapping[str, str], secrets: tuple[str, str], method: str, url: str, query: str
    ) -> None:
        signed = [(name, value) for name, value in given.items() if name not in ("realm", "oauth_signature")]
        signed += parse_qsl(query, keep_blank_values=True)
        if not hmac.compare_digest(signature(signed, secrets, method, url), given["oauth_signature"]):
            raise TbaRefusal("the signature does not match")

    def _check_fresh(self, fields: Mapping[str, str]) -> None:
        """Called after the signature was found right, so that strangers cannot use up nonces."""
        window, now = self._switches.tba_timestamp_window_s, self._clock.now().timestamp()
        if not fields["timestamp"].isdecimal() or abs(int(fields["timestamp"]) - now) > window:
            raise TbaRefusal(f"oauth_timestamp is more than {window} seconds off")
        if len(fields["nonce"]) < MIN_NONCE:
            raise TbaRefusal(f"oauth_nonce has fewer than {MIN_NONCE} characters")
        key = (fields["timestamp"], fields["nonce"])
        if key in self._seen:
            raise TbaRefusal("oauth_nonce was used before")
        self._seen[key] = now
        while self._seen and (
            next(iter(self._seen.values())) < now - 2 * window or len(self._seen) > MAX_NONCES
        ):
            self._seen.popitem(last=False)


def signature(parameters: list[tuple[str, str]], secrets: tuple[str, str], method: str, url: str) -> str:
    """The base64 signature over method, URL without query, and all parameters but realm and signature."""
    pairs = sorted((_encoded(name), _encoded(value)) for name, value in parameters)
    listed = "&".join(f"{name}={value}" for name, value in pairs)
    base = "&".join(_encoded(part) for part in (method.upper(), url, listed))
    key = "&".join(_encoded(secret) for secret in secrets)
    return base64.b64encode(hmac.digest(key.encode(), base.encode(), hashlib.sha256)).decode()


def _encoded(text: str) -> str:
    return quote(text, safe="-._~")
