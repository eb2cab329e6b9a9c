"""GET /api/v1/tokens: one's own tokens for programs; making and revoking them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from twinbook.store import tokens
from twinbook.web.access.guard import Viewer
from twinbook.web.acts import tokens as acts
from twinbook.web.api.answers import CONFLICT, REFUSALS
from twinbook.web.dashboard import Deps
from twinbook.web.problems import Problem

router = APIRouter(tags=["tokens"], responses=REFUSALS)

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


class TokenAnswer(BaseModel):
    """One token, without itself."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    scopes: list[str]
    created_at: float
    expires_at: float | None
    seen_at: float | None


class TokenList(BaseModel):
    tokens: list[TokenAnswer]


class TokenGiven(BaseModel):
    """What a token may be used for, and for how long."""

    name: Name
    scopes: Annotated[list[str], Field(min_length=1, max_length=100)]
    days: Annotated[int, Field(ge=1, le=acts.LONGEST_DAYS)] = 365


class TokenMade(BaseModel):
    """`token` is told only now."""

    token: str


class Revoked(BaseModel):
    revoked: bool = True


@router.get("/tokens")
async def list_tokens(who: Viewer, dashboard: Deps) -> TokenList:
    """Your tokens, the latest first."""
    found = await dashboard.read(lambda tx: tokens.of_person(tx, who.person_id))
    return TokenList(tokens=[TokenAnswer.model_validate(item) for item in found])


@router.post("/tokens", responses=CONFLICT)
async def make_token(request: Request, who: Viewer, dashboard: Deps, given: TokenGiven) -> TokenMade:
    """Make a token that acts for you. A token makes no other one: it could give itself what it was not given."""
    if who.token_id is not None:
        raise Problem(403, "A token cannot make tokens", "Sign in, and make it on the page Your account.")
    known: tuple[str, ...] = request.app.state.scopes
    return TokenMade(token=await acts.make(dashboard, who, given.name, given.scopes, given.days, known))


@router.post("/tokens/{token_id}/revoke")
async def revoke_token(who: Viewer, dashboard: Deps, token_id: Number) -> Revoked:
    """It works no longer. A token can revoke itself and no other one."""
    if who.token_id not in (None, token_id):
        raise Problem(
            403, "A token cannot revoke other tokens", "Sign in, and do it on the page Your account."
        )
    await acts.revoke(dashboard, who, token_id)
    return Revoked()
