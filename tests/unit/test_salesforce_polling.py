"""Polling: whatever commits, however late and however many at once, is delivered; what is quiet stays quiet."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinbook.domain.errors import PermanentError
from twinbook.domain.ids import to_18
from twinbook.salesforce.polling import BEGINNING, PollCursor, Position, decode, parse

OVERLAP = 60.0
START = parse("2026-09-21T12:00:00.000+0000")


def contact_id(number: int) -> str:
    return to_18(f"0035g000{number:07d}")


def stamp(seconds: float) -> str:
    return (START + timedelta(seconds=int(seconds))).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


@dataclass
class Org:
    """Rows that become visible at their commit, `delay` seconds after their SystemModstamp."""

    page_size: int
    changes: list[tuple[float, float, str]] = field(default_factory=list)

    def visible(self, now: float) -> list[dict[str, Any]]:
        latest: dict[str, str] = {}
        for at, committed, id_ in sorted(self.changes):
            if committed <= now:
                latest[id_] = stamp(at)
        rows = [{"Id": id_, "SystemModstamp": moment} for id_, moment in latest.items()]
        return sorted(rows, key=lambda row: (row["SystemModstamp"], row["Id"]))

    def look(self, cursor: PollCursor, now: float) -> tuple[list[tuple[str, str]], PollCursor]:
        """One whole look with all its pages, through the text form of the cursor each time."""
        delivered: list[tuple[str, str]] = []
        while True:
            start = cursor.start(OVERLAP)
            rows = [row for row in self.visible(now) if _after(row, start)][: self.page_size]
            fresh = set(cursor.fresh(rows))
            delivered += [(row["Id"], row["SystemModstamp"]) for row in rows if row["Id"] in fresh]
            more = len(rows) == self.page_size
            cursor = decode(cursor.advance(rows, now, OVERLAP, more=more).encode())
            if not more:
                return delivered, cursor


def _after(row: dict[str, Any], position: Position) -> bool:
    moment: datetime = parse(row["SystemModstamp"])
    if not position.id:
        return moment >= position.moment
    return (moment, row["Id"]) > (position.moment, position.id)


def fresh_cursor() -> PollCursor:
    return PollCursor(Position(BEGINNING), 0.0, Position(BEGINNING))


@settings(max_examples=200, deadline=None)
@given(
    changes=st.lists(
        st.tuples(
            st.floats(0, 300),
            st.floats(0, OVERLAP - 1),
            st.integers(0, 30),
        ),
        max_size=60,
    ),
    page_size=st.integers(1, 7),
    pause=st.floats(1, 90),
)
def test_every_state_that_stays_is_delivered(
    changes: list[tuple[float, float, int]], page_size: int, pause: float
) -> None:
    org = Org(page_size, [(at, at + delay, contact_id(number)) for at, delay, number in changes])
    cursor, now, delivered = fresh_cursor(), 0.0, set()
    while now < 500:
        found, cursor = org.look(cursor, now)
        delivered.update(found)
        now += pause
    final = {(row["Id"], row["SystemModstamp"]) for row in org.visible(now)}
    assert final <= delivered


def test_more_rows_in_one_second_than_a_page_holds() -> None:
    org = Org(10, [(5.0, 5.0, contact_id(number)) for number in range(95)])
    found, _ = org.look(fresh_cursor(), 10.0)
    assert [id_ for id_, _ in found] == [contact_id(number) for number in range(95)]


def test_a_quiet_record_is_delivered_once_and_then_not_even_read() -> None:
    org = Org(100, [(5.0, 5.0, contact_id(1))])
    found, cursor = org.look(fresh_cursor(), 10.0)
    assert len(found) == 1
    for now in (20.0, 40.0, 60.0, 80.0):
        found, cursor = org.look(cursor, now)
        assert found == []
    assert cursor.start(OVERLAP) == Position(parse(stamp(5)), contact_id(1))
    assert cursor.delivered == {}


def test_a_late_commit_is_found_behind_newer_rows() -> None:
    org = Org(100, [(50.0, 50.0, contact_id(1)), (10.0, 65.0, contact_id(2))])
    _, cursor = org.look(fresh_cursor(), 55.0)
    found, _ = org.look(cursor, 70.0)
    assert found == [(contact_id(2), stamp(10))]


def test_a_record_that_changes_again_is_delivered_again() -> None:
    org = Org(100, [(5.0, 5.0, contact_id(1))])
    _, cursor = org.look(fresh_cursor(), 10.0)
    org.changes.append((12.0, 12.0, contact_id(1)))
    found, _ = org.look(cursor, 20.0)
    assert found == [(contact_id(1), stamp(12))]


def test_the_condition_for_a_page_within_one_second() -> None:
    position = Position(START, contact_id(1))
    assert position.condition() == (
        "SystemModstamp >= 2026-09-21T12:00:00.000Z AND "
        f"(SystemModstamp > 2026-09-21T12:00:00.000Z OR Id > '{contact_id(1)}')"
    )
    assert Position(START).condition() == "SystemModstamp >= 2026-09-21T12:00:00.000Z"


@pytest.mark.parametrize("text", ["", "17", "[1]", "not json", '["a","b",1,2,3,4]'])
def test_a_foreign_cursor_is_refused(text: str) -> None:
    with pytest.raises(PermanentError, match="INVALID_CURSOR"):
        decode(text)
