"""What all resources share: how refusals are described in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field


class FaultAnswer(BaseModel):
    """What is wrong with one field of the request."""

    field: str
    message: str


class ProblemAnswer(BaseModel):
    """Why a request was refused (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    errors: list[FaultAnswer] | None = Field(default=None, description="The fields that are wrong.")


def _refusal(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ProblemAnswer"}
    return {
        "model": ProblemAnswer,
        "description": description,
        "content": {"application/problem+json": {"schema": schema}},
    }


REFUSALS: dict[int | str, dict[str, Any]] = {
    400: _refusal("The request does not fit."),
    401: _refusal("Nobody is signed in."),
    403: _refusal("The role does not reach."),
    404: _refusal("There is no such thing."),
    409: _refusal("It does not fit what is there now; look again."),
    413: _refusal("The request is too large."),
    422: _refusal("The request has faults; `errors` names the fields."),
    503: _refusal("It cannot be done just now, or not by this process."),
}
CONFLICT: dict[int | str, dict[str, Any]] = {409: _refusal("It is not as the request takes it to be.")}
UNREACHABLE: dict[int | str, dict[str, Any]] = {503: _refusal("The two systems cannot be asked just now.")}
