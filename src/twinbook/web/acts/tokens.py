"""Tokens of programs: making and revoking one's own, each with its line in the audit."""

from __future__ import annotations

from collections.abc import Sequence

from twinbook.store import audit, tokens
from twinbook.store.audit import Act
from twinbook.store.database import Tx
from twinbook.web.access.principal import Principal
from twinbook.web.access.secrets import digest, new_token
from twinbook.web.dashboard import Dashboard
from twinbook.web.problems import Fault, NotFound, Problem

DAY = 86_400
TOKEN_PREFIX = "twinbook_"  # noqa: S105 - the beginning that all have
LONGEST_DAYS = 3650
MOST_TOKENS = 50


async def make(
    dashboard: Dashboard, who: Principal, name: str, scopes: Sequence[str], days: int, known: Sequence[str]
) -> str:
    """A token for so many days; it is told only now. `known` are the scopes there are. Raises `Problem`."""
    name, chosen = name.strip(), [scope for scope in known if scope in scopes]
    if not name or not chosen:
        fault = Fault(
            "scopes" if name else "name", "Give it a name, and choose at least one thing that it may do."
        )
        raise Problem(422, "The token cannot be made", fault.message, faults=[fault])
    token, now = TOKEN_PREFIX + new_token(), dashboard.now()
    expires_at = now + days * DAY

    def work(tx: Tx) -> None:
        if len(tokens.of_person(tx, who.person_id)) >= MOST_TOKENS:
            detail = f"You have {MOST_TOKENS} tokens. Revoke those that nobody uses."
            raise Problem(409, "There are too many tokens", detail)
        tokens.add(tx, digest(token), who.person_id, name=name, scopes=chosen, now=now, expires_at=expires_at)
        audit.note(tx, Act(who.login, "token.made", name, detail={"scopes": chosen}), now=now)

    await dashboard.write(work)
    return token


async def revoke(dashboard: Dashboard, who: Principal, token_id: int) -> str:
    """The name of the token, which works no longer. Raises `Problem` for one that is not theirs."""

    def work(tx: Tx) -> str:
        name = tokens.revoke(tx, token_id, who.person_id)
        if name is None:
            raise NotFound("token")
        audit.note(tx, Act(who.login, "token.revoked", name), now=dashboard.now())
        return name

    return await dashboard.write(work)
