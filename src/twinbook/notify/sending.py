"""The two ways to send: apprise for people, a signed POST for programs."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from twinbook.http import Http
from twinbook.notify.addresses import Address
from twinbook.signature import HEADER, sign
from twinbook.store.deliveries import Delivery
from twinbook.store.recipients import Kind


class SendingError(Exception):
    """It was not taken. The text is plain and holds neither address nor secret."""


@dataclass(frozen=True, slots=True)
class Sending:
    """`now` is epoch seconds, for signatures."""

    http: Http
    now: Callable[[], float]

    async def send(self, kind: Kind, address: Address, item: Delivery) -> None:
        """Raises `SendingError` where it is refused, and the errors of `twinbook.http` where nobody answers."""
        if kind is Kind.PEOPLE:
            await asyncio.to_thread(_tell, address.url, str(item.content["title"]), str(item.content["body"]))
        else:
            await self._post(address, item)

    async def _post(self, address: Address, item: Delivery) -> None:
        body = orjson.dumps({"id": item.id, **item.content})
        signature = sign(address.secret, body, at=int(self.now()), nonce=secrets.token_urlsafe(16))
        headers = {HEADER: signature, "Content-Type": "application/json", "User-Agent": "Twinbook"}
        answer = await self.http.request("POST", address.url, headers=headers, data=body)
        if not 200 <= answer.status < 300:
            raise SendingError(f"It answered {answer.status}. Anything from 200 to 299 counts as taken.")


def _tell(url: str, title: str, body: str) -> None:
    """On a thread of its own: apprise's services block. Each call of theirs has a timeout of seconds."""
    from apprise import Apprise

    # Its log lines may hold addresses, which are secrets.
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
    service = Apprise.instantiate(url, suppress_exceptions=True)
    if service is None or not service.notify(body=body, title=title):
        raise SendingError("The service did not take the message. Check its address, and enter it anew.")
