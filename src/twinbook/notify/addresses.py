"""The addresses of recipients: secrets that are checked when they are entered, sealed, and never shown again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

import orjson

LONGEST = 2000
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Address:
    """`url` of apprise or of a webhook; `secret` is what a webhook's messages are signed with."""

    url: str
    secret: str = ""

    def packed(self) -> str:
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def unpacked(cls, text: str) -> Address:
        return cls(**orjson.loads(text))


def problem_with_apprise(url: str) -> str | None:
    """Why messages cannot be sent there, None if they can. Nothing is sent."""
    # Takes half a second: only where it is used.
    from apprise import Apprise

    if len(url) > LONGEST or Apprise.instantiate(url, suppress_exceptions=True) is None:
        return "That is no address apprise knows. Write it as mailtos://user:password@host, slack://… or similar."
    return None


def problem_with_webhook(url: str) -> str | None:
    """Why nothing can be sent there, None if it can. Nothing is sent."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "That is no web address. Write it as https://host/path."
    local = parts.scheme == "http" and host in _LOOPBACK
    if not host or len(url) > LONGEST or not url.isascii() or "@" in parts.netloc:
        return "That is no web address. Write it as https://host/path, without a login."
    if parts.scheme != "https" and not local:
        return "Messages would travel unencrypted. Write it as https://host/path."
    return None


def shown_apprise(url: str) -> str:
    """What may be read of it: the kind of service."""
    return url.partition("://")[0].strip().lower()


def shown_webhook(url: str) -> str:
    """What may be read of it: the host. Paths often hold a token."""
    return urlsplit(url).hostname or ""
