"""Who is asking."""

from __future__ import annotations

from dataclasses import dataclass

from twinbook.web.access.roles import Role


@dataclass(frozen=True, slots=True)
class Principal:
    """A person, by their browser or by a program with their token. `login` is what stands in the audit and in the
    journal. One of `session_id` and `token_id` is set; `scopes` are those of the token."""

    person_id: int
    login: str
    name: str
    role: Role
    session_id: int | None = None
    token_id: int | None = None
    scopes: frozenset[str] = frozenset()
