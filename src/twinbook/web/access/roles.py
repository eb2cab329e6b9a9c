"""What people may do, in three steps: look, act on contacts, change how it all works."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """Each role may do what those before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"

    def covers(self, needed: Role) -> bool:
        order = list(Role)
        return order.index(self) >= order.index(needed)


MEANING = {
    Role.VIEWER: "Sees everything, changes nothing.",
    Role.OPERATOR: "Also decides about contacts, retries, pauses and resumes.",
    Role.ADMINISTRATOR: "Also changes settings, people and access.",
}
