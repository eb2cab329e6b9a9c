"""Where a list goes on, as addresses and answers carry it: sealed, because it may hold a name."""

from __future__ import annotations

from fastapi import Request

from twinbook.domain.records import Side
from twinbook.web.queries.contacts import Position, Sort
from twinbook.web.rendering import open_state, seal_state


def seal_position(request: Request, sort: Sort, at: Position | None) -> str | None:
    return seal_state(request, [sort, at.value, at.side, at.record_id, at.back]) if at else None


def open_position(request: Request, sort: Sort, sealed: str | None) -> Position | None:
    """The position, None where it is not ours or belongs to a list in another order."""
    match open_state(request, sealed):
        case [
            sort.value,
            float() | int() | str() as place,
            str() as side,
            str() as record_id,
            bool() as back,
        ]:
            return Position(place, Side(side), record_id, back)
        case _:
            return None
