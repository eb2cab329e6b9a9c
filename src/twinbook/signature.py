"""The signature of a ping and of a webhook: `X-Twinbook-Signature: t=<epoch seconds>,n=<nonce>,v1=<hex>`.

`v1` is the HMAC-SHA256 of the text `t.n.body` with the shared secret.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass

HEADER = "X-Twinbook-Signature"

_FORM = re.compile(r"t=(?P<t>[0-9]{1,12}),n=(?P<n>[0-9A-Za-z_-]{16,64}),v1=(?P<v1>[0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature as it was sent. `at` is in epoch seconds, by the clock of the sender."""

    at: int
    nonce: str
    digest: str

    @classmethod
    def parse(cls, text: str) -> Signature | None:
        """The signature in a header; None when it has another form."""
        match = _FORM.fullmatch(text)
        return cls(int(match["t"]), match["n"], match["v1"]) if match else None

    def made_with(self, secrets: Iterable[str], body: bytes) -> bool:
        """Whether one of the secrets made it for this body. Takes the same time whichever part is wrong."""
        fits = [
            hmac.compare_digest(self.digest, _digest(secret, self.at, self.nonce, body)) for secret in secrets
        ]
        return any(fits)


def sign(secret: str, body: bytes, *, at: int, nonce: str) -> str:
    """The header for a body."""
    return f"t={at},n={nonce},v1={_digest(secret, at, nonce, body)}"


def _digest(secret: str, at: int, nonce: str, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{at}.{nonce}.".encode() + body, hashlib.sha256).hexdigest()
