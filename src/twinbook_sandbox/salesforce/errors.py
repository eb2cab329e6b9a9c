"""How the org says no (salesforce.md 4.7).

`Problem` is a value: why one record was refused. `RefusedError` carries problems out of the checks of one
record, to become a result of its own or the answer to a single-record call. `ApiError` refuses a whole call.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

STATUS_OF_CODE: Mapping[str, int] = {
    "INVALID_SESSION_ID": 401,
    "REQUEST_LIMIT_EXCEEDED": 403,
    "API_CURRENTLY_DISABLED": 403,
    "NOT_FOUND": 404,
    "ENTITY_IS_DELETED": 404,
    "METHOD_NOT_ALLOWED": 405,
}
"""HTTP status of an error code where it is not 400."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why a record was refused; `fields` by API name."""

    code: str
    message: str
    fields: tuple[str, ...] = ()
    extra: Mapping[str, Any] | None = None

    def as_record_error(self) -> dict[str, Any]:
        """As it stands inside a per-record result."""
        return {"statusCode": self.code, "message": self.message, "fields": list(self.fields)}

    def as_call_error(self) -> dict[str, Any]:
        """As it stands in the answer to a single-record call."""
        body: dict[str, Any] = {**(self.extra or {}), "message": self.message, "errorCode": self.code}
        if self.fields:
            body["fields"] = list(self.fields)
        return body


class RefusedError(Exception):
    """A record was refused, for at least one reason."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{each.code}: {each.message}" for each in problems))
        self.problems = tuple(problems)


def refuse(code: str, message: str, *fields: str) -> RefusedError:
    """The refusal of a record for one reason."""
    return RefusedError([Problem(code, message, fields)])


class ApiError(Exception):
    """A call was refused: HTTP status and the errors of the body."""

    def __init__(self, code: str, message: str, *, status: int | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status or STATUS_OF_CODE.get(code, 400)
        self.errors: list[dict[str, Any]] = [{"message": message, "errorCode": code}]

    @property
    def code(self) -> str:
        return str(self.errors[0]["errorCode"])

    @property
    def message(self) -> str:
        return str(self.errors[0]["message"])


def not_found(message: str = "The requested resource does not exist") -> ApiError:
    return ApiError("NOT_FOUND", message)
