"""The courier of notifications and webhooks, beside whatever else a process does."""

from __future__ import annotations

import asyncio
import random
import time

from twinbook.cli.terminal import say
from twinbook.http import HttpSettings, HttpTransport
from twinbook.settings import Settings
from twinbook.store.database import Database

# Whom it calls are others' services: none of them may hold it up for long.
HTTP = HttpSettings(connect_timeout=5, read_timeout=15, total_timeout=15, max_response_bytes=1024 * 1024)


async def carry_messages(database: Database, settings: Settings, stopped: asyncio.Event) -> None:
    """Until stopped. What is wrong with messages does not keep contacts from being synced."""
    from twinbook.notify.courier import Courier
    from twinbook.notify.sending import Sending
    from twinbook.web.access.secrets import Sealer
    from twinbook.web.errors import CannotServeError

    try:
        sealer = Sealer.from_file(settings.web.key_file)
    except CannotServeError as error:
        say(f"{error} Contacts are kept in step; nobody is notified.", err=True)
        return
    async with HttpTransport(HTTP, time.time) as http:
        courier = Courier(
            database,
            tuple(settings.connections),
            settings.web.public_url,
            sealer.open,
            Sending(http, time.time),
            time.time,
            random.Random(),  # noqa: S311 - spreads out retries
        )
        await courier.run(stopped)
