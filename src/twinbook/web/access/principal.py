"""Who is asking."""

from __future__ import annotations

from dataclasses import dataclass

from twinbook.web.access.roles import Role


@dataclass(frozen=True, slots=True)
class Principal:
    """A person, by their browser. `login` is what stands in the audit and in the journal."""

    person_id: int
    login: str
    name: str
    role: Role
    session_id: int
