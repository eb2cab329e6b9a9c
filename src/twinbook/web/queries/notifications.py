"""Who is told what, what waits for them, and what could not be sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from twinbook.store import deliveries, recipients
from twinbook.store.database import Tx
from twinbook.store.deliveries import Delivery
from twinbook.store.recipients import Recipient


@dataclass(frozen=True, slots=True)
class Listed:
    recipient: Recipient
    waiting: int


@dataclass(frozen=True, slots=True)
class Notifications:
    """`given_up`: what could not be sent, the latest first, with the recipient's name."""

    recipients: Sequence[Listed]
    given_up: Sequence[tuple[str, Delivery]]


def notifications(tx: Tx) -> Notifications:
    waiting, everybody = deliveries.waiting(tx), recipients.everybody(tx)
    names = {item.id: item.name for item in everybody}
    return Notifications(
        [Listed(item, waiting.get(item.id, 0)) for item in everybody],
        [(names[item.recipient_id], item) for item in deliveries.dead(tx)],
    )
