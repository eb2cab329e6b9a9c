"""Clients that others wrote, turned from their vendors' hosts to the sandbox: for tests, and the benchmarks' peer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import requests
from netsuite.rest_api import NetSuiteRestApi
from requests.adapters import HTTPAdapter


class PlainHttp(HTTPAdapter):
    """simple-salesforce insists on https and on Salesforce's hosts; this sends its requests to the sandbox."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self._base_url = base_url

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        assert request.url is not None
        path = request.url.split("/", 3)[3]
        request.url = f"{self._base_url}/{path}"
        return super().send(request, *args, **kwargs)


class SandboxApi(NetSuiteRestApi):
    """The client of the `netsuite` package with another host: its own is made from the account id."""

    base_url = ""

    def _make_url(self, subpath: str) -> str:
        return f"{self.base_url}/services/rest{subpath}"

    def _make_auth(self) -> Callable[[httpx.Request], httpx.Request]:
        """The package's own signature. Where httpx2 is installed, authlib's speaks that, and the package httpx."""
        signature = super()._make_auth()

        def signed(request: httpx.Request) -> httpx.Request:
            _, headers, _ = signature.prepare(
                request.method, str(request.url), dict(request.headers), request.content
            )
            request.headers["Authorization"] = headers["Authorization"]
            return request

        return signed
