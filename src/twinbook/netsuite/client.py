"""One call to a NetSuite account: a permit, a signature, one new token after a 401, and the judged answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import structlog

from twinbook.domain.errors import TemporaryError
from twinbook.domain.ports import Guard, unguarded
from twinbook.http import Http, HttpResponse, encode_query
from twinbook.netsuite.auth import Authorizer
from twinbook.netsuite.errors import CONCURRENCY_LIMIT, error_from
from twinbook.netsuite.permits import Permits

log = structlog.get_logger()


class NetSuiteClient:
    """Calls with a path below `base_url`. All calls of an account share one client, thus one set of permits."""

    def __init__(
        self,
        http: Http,
        authorizer: Authorizer,
        permits: Permits,
        base_url: str,
        *,
        guard: Guard = unguarded,
    ) -> None:
        self._http = http
        self._authorizer = authorizer
        self._permits = permits
        self._base_url = base_url.rstrip("/")
        self._guard = guard

    @property
    def permits(self) -> Permits:
        return self._permits

    def guarded(self, guard: Guard) -> Self:
        """This client, asking `guard` before every call once the permit is there: a wait for it may be long."""
        return type(self)(self._http, self._authorizer, self._permits, self._base_url, guard=guard)

    async def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        json: object | None = None,
        writing: bool,
    ) -> HttpResponse:
        """A successful answer (2xx). Everything else is raised as `TemporaryError` or `PermanentError`.

        `writing` says whether a lost answer may have changed something: SuiteQL is a POST, yet only reads.
        """
        url = self._base_url + path
        if params:
            url = f"{url}?{encode_query(params)}"
        async with self._permits.hold():
            self._guard()
            response = await self._signed(method, url, headers or {}, json, writing=writing)
        if 200 <= response.status < 300:
            self._permits.answered()
            return response
        error = error_from(response, writing=writing)
        if error.code == CONCURRENCY_LIMIT and self._permits.refused():
            log.warning("netsuite-calls-fewer", at_once=self._permits.limit)
        raise error

    async def _signed(
        self, method: str, url: str, headers: Mapping[str, str], json: object | None, *, writing: bool
    ) -> HttpResponse:
        authorization = await self._authorizer.authorization(method, url)
        response = await self._send(method, url, headers, json, authorization, writing=writing)
        if response.status != 401 or not self._authorizer.renewable(authorization):
            return response
        authorization = await self._authorizer.authorization(method, url)
        return await self._send(method, url, headers, json, authorization, writing=writing)

    async def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        json: object | None,
        authorization: str,
        *,
        writing: bool,
    ) -> HttpResponse:
        sent = {"Accept": "application/json", **headers, "Authorization": authorization}
        try:
            return await self._http.request(method, url, headers=sent, json=json)
        except TemporaryError as failure:
            if failure.outcome_unknown and not writing:
                raise TemporaryError(failure.code, failure.message) from failure
            raise
