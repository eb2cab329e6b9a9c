"""Which way contacts and customers take: through the RESTlet, or over REST.

`restlet` and `rest` are what they say. `auto` takes the RESTlet where it is deployed for the login, also while running:
when the script is undeployed, disabled or refused to the login, what was asked is asked over REST at once, and the
script is tried again now and then. A write is bound only to a version that the RESTlet read (`NetSuiteContact.binds`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import structlog

from twinbook.domain.errors import PermanentError, SideError
from twinbook.domain.ports import Failed, Guard, NetSuiteWrite, WriteResult
from twinbook.netsuite.errors import LOGIN_CODES
from twinbook.netsuite.reading import ContactReader, CustomerReader
from twinbook.netsuite.records import RecordType
from twinbook.netsuite.restlet import Restlet
from twinbook.netsuite.writing import Writer

log = structlog.get_logger()

LOST: Final = LOGIN_CODES | {"NO_RESTLET", "INSUFFICIENT_PERMISSION"}
"""Codes of a call that the script was not there for. It did nothing: the call may be made over REST instead."""

FIRST_WAIT_S: Final = 60.0
LONGEST_WAIT_S: Final = 900.0
"""Between two looks whether the script is back. Each is one call."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Route:
    """One way to the account."""

    contacts: ContactReader
    customers: CustomerReader
    writer: Writer


class Transport:
    """Reads and writes by the route that works. `notice` is for people, None while all is as the settings want it."""

    def __init__(
        self,
        rest: Route,
        batches: Route | None,
        restlet: Restlet | None,
        *,
        automatic: bool,
        monotonic: Callable[[], float],
    ) -> None:
        self._rest = rest
        self._batches = batches
        self._restlet = restlet
        self._automatic = automatic
        self._monotonic = monotonic
        self._current = rest if batches is None or automatic else batches
        self._wait = FIRST_WAIT_S
        self._try_at = 0.0
        self.notice: str | None = None

    async def choose(self) -> None:
        """With `auto`: the RESTlet where it is deployed for this login, else REST. Raises `TemporaryError`."""
        if not self._automatic or self._restlet is None:
            return
        try:
            await self._restlet.release()
        except PermanentError:
            self._current, self._wait = self._rest, LONGEST_WAIT_S
            self._try_at = self._monotonic() + self._wait
        else:
            self._return()

    async def read(self, act: Callable[[Route], Awaitable[T]]) -> T:
        """What `act` reads by the route. Raises what it raises."""
        route = await self._route()
        try:
            return await act(route)
        except PermanentError as error:
            if not self._is_lost(route, error):
                raise
            self._leave(error)
        return await act(self._rest)

    async def write(
        self, record: RecordType, writes: Mapping[str, NetSuiteWrite], guard: Guard
    ) -> Mapping[str, WriteResult]:
        """See `NetSuitePort.write_contacts`."""
        route = await self._route()
        results = await route.writer.write(record, writes, guard)
        unsent = {
            key: result.error
            for key, result in results.items()
            if isinstance(result, Failed) and result.of_call and self._is_lost(route, result.error)
        }
        if not unsent:
            return results
        self._leave(next(iter(unsent.values())))
        again = {key: writes[key] for key in unsent}
        return {**results, **await self._rest.writer.write(record, again, guard)}

    async def _route(self) -> Route:
        """The route to take now. One caller looks whether the script is back; the others do not wait for it."""
        now = self._monotonic()
        if (
            not self._automatic
            or self._restlet is None
            or self._current is self._batches
            or now < self._try_at
        ):
            return self._current
        self._wait = min(2 * self._wait, LONGEST_WAIT_S)
        self._try_at = now + self._wait
        try:
            await self._restlet.release()
        except SideError:
            return self._rest
        self._return()
        return self._current

    def _is_lost(self, route: Route, error: SideError) -> bool:
        return self._automatic and route is self._batches and error.code in LOST

    def _leave(self, error: SideError) -> None:
        if self._current is self._rest:
            return
        self._current, self._wait = self._rest, FIRST_WAIT_S
        self._try_at = self._monotonic() + self._wait
        remedy = error.remedy if isinstance(error, PermanentError) else ""
        self.notice = (
            f"NetSuite's RESTlet cannot be used ({error.code}): contacts go one by one over REST until it works again. "
            f"{remedy}"
        ).strip()
        log.warning("netsuite-restlet-lost", code=error.code)

    def _return(self) -> None:
        if self.notice is not None:
            log.info("netsuite-restlet-works-again")
        self._current, self.notice = self._batches or self._rest, None
