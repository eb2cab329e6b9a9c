"""`/composite`: up to 25 calls in one, each of which may use what earlier ones answered (salesforce.md 4.4)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson

from twinbook_sandbox.salesforce.api import Call, Reply, Resource, actor_of, error_reply
from twinbook_sandbox.salesforce.errors import ApiError, RefusedError
from twinbook_sandbox.salesforce.state import OrgState

MOST_CALLS = 25
_REFERENCE = re.compile(r"@\{([A-Za-z0-9_]+)((?:\.[A-Za-z0-9_]+|\[\d+\])*)\}")
_STEP = re.compile(r"\.([A-Za-z0-9_]+)|\[(\d+)\]")
_HALTED = "The transaction was rolled back since another operation in the same transaction failed."
Dispatch = Callable[[Call, str, str, str, bytes], Reply]
"""(outer call, method, path below the version, query string, body) to the answer."""


class _RollBackError(Exception):
    """Undoes the writes of all sub-requests."""


class CompositeResources:
    """Calls inside a call; with allOrNone they are one transaction."""

    def __init__(self, org: OrgState, dispatch: Dispatch) -> None:
        self._org = org
        self._dispatch = dispatch

    def resources(self) -> list[Resource]:
        return [Resource("POST", "/composite", self.composite, "composite")]

    def composite(self, call: Call) -> Reply:
        """Run the sub-requests in order."""
        body = call.json_object()
        requests = body.get("compositeRequest")
        if not isinstance(requests, list) or not 1 <= len(requests) <= MOST_CALLS:
            raise ApiError("INVALID_INPUT", f"compositeRequest: 1 to {MOST_CALLS} sub-requests are needed")
        answers: dict[str, Any] = {}
        if body.get("allOrNone") is not True:
            return Reply(200, {"compositeResponse": [self._run(call, each, answers) for each in requests]})
        return Reply(200, {"compositeResponse": self._run_all_or_none(call, requests, answers)})

    def _run_all_or_none(
        self, call: Call, requests: list[Mapping[str, Any]], answers: dict[str, Any]
    ) -> list[dict[str, Any]]:
        results: list[dict[str, Any]] = []
        try:
            with self._org.records.shared_unit_of_work(actor_of(self._org, call)):
                for each in requests:
                    results.append(self._run(call, each, answers))
                    if results[-1]["httpStatusCode"] >= 400:
                        raise _RollBackError
        except _RollBackError:
            failed = len(results) - 1
            return [results[n] if n == failed else _halted(each) for n, each in enumerate(requests)]
        return results

    def _run(self, call: Call, request: Mapping[str, Any], answers: dict[str, Any]) -> dict[str, Any]:
        reference = str(request.get("referenceId", ""))
        try:
            reply = self._answer(call, request, answers)
        except (ApiError, RefusedError) as error:
            reply = error_reply(error)
        answers[reference] = reply.body
        return {
            "body": reply.body,
            "httpHeaders": dict(reply.headers),
            "httpStatusCode": reply.status,
            "referenceId": reference,
        }

    def _answer(self, call: Call, request: Mapping[str, Any], answers: Mapping[str, Any]) -> Reply:
        target = urlsplit(_filled(str(request.get("url", "")), answers))
        rest = target.path.removeprefix(call.base)
        if rest == target.path:
            raise ApiError("NOT_FOUND", "The requested resource does not exist")
        body = request.get("body")
        content = b"" if body is None else _filled(orjson.dumps(body).decode(), answers).encode()
        return self._dispatch(call, str(request.get("method", "GET")).upper(), rest, target.query, content)


def _halted(request: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "body": [{"errorCode": "PROCESSING_HALTED", "message": _HALTED}],
        "httpHeaders": {},
        "httpStatusCode": 400,
        "referenceId": str(request.get("referenceId", "")),
    }


def _filled(text: str, answers: Mapping[str, Any]) -> str:
    """Replace `@{r0.id}` by what the answer of sub-request r0 holds there. Raises ApiError."""

    def value(match: re.Match[str]) -> str:
        name, path = match.groups()
        found: Any = answers.get(name)
        for key, index in _STEP.findall(path):
            try:
                found = found[key] if key else found[int(index)]
            except (KeyError, IndexError, TypeError):
                raise _invalid(match.group(0)) from None
        if found is None or isinstance(found, dict | list):
            raise _invalid(match.group(0))
        return str(found)

    return _REFERENCE.sub(value, text)


def _invalid(reference: str) -> ApiError:
    return ApiError("PROCESSING_HALTED", f"Invalid reference specified. No value for {reference} found")
