"""What people enter in the systems in memory."""

from __future__ import annotations

from typing import Any

from tests.memory.world import World


def ada(w: World, customer: str | None, **fields: Any) -> str:
    """A person in NetSuite creates Ada."""
    given = {"firstName": "Ada", "lastName": "Lovelace", "email": "ada@acme.example", "subsidiary": "1"}
    company = {} if customer is None else {"company": customer}
    return w.netsuite.user_creates_contact(**{**given, **company, **fields})
