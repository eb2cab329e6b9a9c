"""Polling finds every change: late commits, edits within one second, crashes, long pages, and the hour that repeats."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.memory.netsuite_http import NoLogin, Request, ScriptedHttp, rows

from twinbook.domain.errors import PermanentError
from twinbook.domain.ports import Changes
from twinbook.domain.records import Entity
from twinbook.domain.versions import SETTLED_AFTER_S
from twinbook.http import HttpResponse
from twinbook.netsuite.changes import FULL_EVERY_S, WIDE_EVERY_S, ChangeFeed
from twinbook.netsuite.client import NetSuiteClient
from twinbook.netsuite.permits import Permits
from twinbook.netsuite.suiteql import SuiteQL

START = datetime(2026, 10, 1, 9, 0)


@dataclass
class Account:
    """Contacts and deleted records in SQLite, with the few Oracle functions that polling uses."""

    page: int = 1000
    overlap: timedelta = timedelta(minutes=5)
    elapsed: float = 0.0
    queries: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.database = sqlite3.connect(":memory:")
        self.database.create_function("TO_CHAR", 2, lambda moment, _: moment)
        self.database.create_function("TO_TIMESTAMP", 2, lambda moment, _: moment)
        self.database.execute("CREATE TABLE contact (id INTEGER PRIMARY KEY, lastmodifieddate TEXT)")
        self.database.execute("CREATE TABLE customer (id INTEGER PRIMARY KEY, lastmodifieddate TEXT)")
        self.database.execute("CREATE TABLE deletedrecord (recordid INTEGER, type TEXT, deleteddate TEXT)")
        self.feed = self.restarted()

    def restarted(self, *, read_deleted: bool = True) -> ChangeFeed:
        """A feed without memory, as after a crash."""
        client = NetSuiteClient(ScriptedHttp(self._answer), NoLogin(), Permits(1), "https://ns.example")
        return ChangeFeed(
            SuiteQL(client),
            overlap=self.overlap,
            monotonic=lambda: self.elapsed,
            read_deleted=read_deleted,
            page=self.page,
        )

    @property
    def stamp(self) -> str:
        return (START + timedelta(seconds=int(self.elapsed))).strftime("%Y-%m-%d %H:%M:%S")

    def save(self, id_: int, stamp: str | None = None) -> None:
        self.database.execute("REPLACE INTO contact VALUES (?, ?)", (id_, stamp or self.stamp))

    def stamp_of(self, id_: int) -> str | None:
        found = self.database.execute("SELECT lastmodifieddate FROM contact WHERE id = ?", (id_,)).fetchone()
        return found[0] if found else None

    def delete(self, id_: int) -> None:
        self.database.execute("DELETE FROM contact WHERE id = ?", (id_,))
        self.database.execute("INSERT INTO deletedrecord VALUES (?, 'Contact', ?)", (id_, self.stamp))

    async def begin(self) -> str:
        return (await self.feed.since(Entity.CONTACT, None)).cursor

    async def poll(self, cursor: str) -> tuple[list[str], str]:
        """All pages of one poll."""
        ids: list[str] = []
        for _ in range(1_000):
            changes = await self.feed.since(Entity.CONTACT, cursor)
            ids += _ids(changes)
            cursor = changes.cursor
            if not changes.more:
                return ids, cursor
        raise AssertionError("a poll without end")

    def _answer(self, request: Request) -> HttpResponse:
        sql = request.json["q"]
        self.queries.append(sql)
        runnable = re.sub(r"FETCH FIRST (\d+) ROWS ONLY", r"LIMIT \1", sql)
        cursor = self.database.execute(runnable)
        names = [column[0] for column in cursor.description]
        found = [{n: str(v) for n, v in zip(names, row, strict=True) if v is not None} for row in cursor]
        return rows(*found)


def _ids(changes: Changes) -> Sequence[str]:
    return [key.id for key in changes.keys]


async def test_a_missing_cursor_starts_now() -> None:
    account = Account()
    account.save(1)
    account.elapsed = 60
    account.save(2)
    account.elapsed = 61
    changes = await account.feed.since(Entity.CONTACT, None)
    assert (changes.keys, changes.more) == ((), False)
    account.save(3)
    ids, _ = await account.poll(changes.cursor)
    assert "3" in ids
    assert "1" not in ids


async def test_an_empty_account_can_be_polled() -> None:
    account = Account()
    cursor = await account.begin()
    account.save(1)
    account.delete(2)
    assert sorted((await account.poll(cursor))[0]) == ["1", "2"]


async def test_a_change_is_told_twice_at_most_and_then_no_more() -> None:
    account = Account()
    cursor = await account.begin()
    account.save(1)
    told = []
    for _ in range(20):
        ids, cursor = await account.poll(cursor)
        told += ids
        account.elapsed += 1
    assert told == ["1", "1"]


async def test_a_quiet_account_hands_out_the_same_cursor() -> None:
    account = Account()
    cursor = await account.begin()
    account.save(1)
    for _ in range(3):
        _, cursor = await account.poll(cursor)
        account.elapsed += 10
    assert (await account.poll(cursor))[1] == cursor


async def test_a_second_edit_within_the_same_second_is_found() -> None:
    account = Account()
    cursor = await account.begin()
    account.save(1)
    ids, cursor = await account.poll(cursor)
    assert ids == ["1"]
    account.save(1)  # again, with the same stamp
    account.elapsed += SETTLED_AFTER_S
    assert (await account.poll(cursor))[0] == ["1"]


async def test_a_late_commit_is_found() -> None:
    account = Account()
    account.save(9)
    cursor = await account.begin()
    stamped = account.stamp
    account.elapsed = 240
    account.save(1)
    _, cursor = await account.poll(cursor)
    account.save(2, stamped)
    assert "2" in (await account.poll(cursor))[0]


async def test_an_overlap_of_many_pages_is_read_once_a_minute() -> None:
    account = Account(page=10)
    cursor = await account.begin()
    for second in range(0, 300, 3):
        account.elapsed = second
        account.save(second)
    _, cursor = await account.poll(cursor)
    pages = []
    for _ in range(12):
        account.elapsed += 10
        account.queries.clear()
        _, cursor = await account.poll(cursor)
        pages.append(sum("FROM contact" in sql for sql in account.queries))
    assert pages == [1, 1, 1, 1, 1, 11, 1, 1, 1, 1, 1, 11]


async def test_a_late_commit_into_an_overlap_of_many_pages_is_found_within_a_minute() -> None:
    account = Account(page=10)
    cursor = await account.begin()
    for second in range(0, 300, 3):
        account.elapsed = second
        account.save(second)
    _, cursor = await account.poll(cursor)
    account.save(1_000, (START + timedelta(seconds=1)).strftime("%Y-%m-%d %H:%M:%S"))
    told: list[str] = []
    for step in range(6):
        account.elapsed += 10
        account.save(2_000 + step)
        ids, cursor = await account.poll(cursor)
        told += ids
    assert "1000" in told


async def test_deleted_records_are_told_of() -> None:
    account = Account()
    account.save(1)
    cursor = await account.begin()
    account.delete(1)
    account.database.execute("INSERT INTO deletedrecord VALUES (5, 'Customer', ?)", (account.stamp,))
    assert (await account.poll(cursor))[0] == ["1"]


async def test_deleted_records_need_not_be_read() -> None:
    account = Account()
    account.feed = account.restarted(read_deleted=False)
    _, _ = await account.poll(await account.begin())
    assert not any("deletedrecord" in sql for sql in account.queries)


async def test_customers_are_polled_in_their_own_table() -> None:
    account = Account()
    cursor = (await account.feed.since(Entity.ACCOUNT, None)).cursor
    account.database.execute("INSERT INTO customer VALUES (7, ?)", (account.stamp,))
    changes = await account.feed.since(Entity.ACCOUNT, cursor)
    assert [(key.entity, key.id) for key in changes.keys] == [(Entity.ACCOUNT, "7")]


async def test_many_changes_of_one_second_are_paged_without_loss() -> None:
    account = Account(page=10)
    cursor = await account.begin()
    for id_ in range(1, 96):
        account.save(id_)
    first = await account.feed.since(Entity.CONTACT, cursor)
    assert (len(first.keys), first.more) == (10, True)
    ids, cursor = await account.poll(first.cursor)
    assert sorted([*_ids(first), *ids], key=int) == [str(n) for n in range(1, 96)]


async def test_a_poll_ends_though_both_tables_fill_their_pages_at_different_times() -> None:
    account = Account(page=2)
    cursor = await account.begin()
    for id_ in range(1, 8):
        account.save(id_)
    for id_ in range(11, 14):
        account.delete(id_)
    ids, cursor = await account.poll(cursor)
    assert sorted(ids, key=int) == [str(n) for n in (*range(1, 8), *range(11, 14))]
    account.elapsed = 1
    assert (await account.poll(cursor))[0] == []


async def test_a_full_last_page_moves_the_position() -> None:
    account = Account(page=5)
    cursor = await account.begin()
    account.elapsed = 100
    for id_ in range(1, 6):
        account.save(id_)
    _, cursor = await account.poll(cursor)
    assert account.stamp in cursor
    assert '"page":null' in cursor


async def test_who_could_not_store_the_cursor_gets_the_keys_again() -> None:
    account = Account()
    cursor = await account.begin()
    account.save(1)
    assert (await account.poll(cursor))[0] == ["1"]
    assert (await account.poll(cursor))[0] == ["1"]
    account.feed = account.restarted()
    assert (await account.poll(cursor))[0] == ["1"]


async def test_the_hour_that_repeats_in_autumn_is_looked_at_again() -> None:
    account = Account()
    cursor = await account.begin()
    account.save(1, "2026-11-01 01:59:58")
    _, cursor = await account.poll(cursor)
    account.elapsed = WIDE_EVERY_S + 1
    account.save(2, "2026-11-01 01:04:00")  # five minutes later, the clock was put back
    assert "2" in (await account.poll(cursor))[0]


@pytest.mark.parametrize(
    "text", ["", "{}", "7", '{"start":"now","changed":{"at":"x","page":null},"deleted":{},"serial":0}', "[]"]
)
async def test_a_cursor_that_is_none_is_named(text: str) -> None:
    with pytest.raises(PermanentError, match="INVALID_CURSOR"):
        await Account().feed.since(Entity.CONTACT, text)


async def test_a_cursor_cannot_carry_sql() -> None:
    account = Account()
    evil = await account.begin()
    evil = evil.replace('"page":null', '"page":["2026-10-01 09:00:00","1 OR 1=1"]', 1)
    with pytest.raises(PermanentError, match="INVALID_CURSOR"):
        await account.feed.since(Entity.CONTACT, evil)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("save"), st.integers(1, 6)),
        st.tuples(st.just("late"), st.integers(1, 6)),
        st.tuples(st.just("delete"), st.integers(1, 6)),
        st.tuples(st.just("wait"), st.sampled_from([0, 0, 1, 2, 5, 60, 200])),
        st.tuples(st.just("poll"), st.just(0)),
        st.tuples(st.just("lost poll"), st.just(0)),
        st.tuples(st.just("restart"), st.just(0)),
    ),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(STEPS, st.sampled_from([1, 2, 3, 1000]))
async def test_no_change_is_ever_lost(steps: list[tuple[str, int]], page: int) -> None:
    """Whatever the order of writes, polls and crashes: a poll after a write, in the end, tells of it."""
    account = Account(page=page)
    account.save(9)
    cursor = await account.begin()
    untold: set[str] = set()
    for step, value in steps:
        match step:
            case "save":
                account.save(value)
                untold.add(str(value))
            case "late":
                seconds = max(0.0, account.elapsed - 250)
                stamped = (START + timedelta(seconds=int(seconds))).strftime("%Y-%m-%d %H:%M:%S")
                if account.stamp_of(value) != stamped:  # or nothing shows that it changed: the sweep finds it
                    account.save(value, stamped)
                    untold.add(str(value))
            case "delete":
                account.delete(value)
                untold.add(str(value))
            case "wait":
                account.elapsed += value
            case "poll":
                told, cursor = await account.poll(cursor)
                untold -= set(told)
            case "lost poll":
                await account.feed.since(Entity.CONTACT, cursor)
            case "restart":
                account.feed = account.restarted()
    assert untold <= await _told_within_a_minute(account, cursor)


async def _told_within_a_minute(account: Account, cursor: str) -> set[str]:
    told: list[str] = []
    for wait in (SETTLED_AFTER_S, FULL_EVERY_S):
        account.elapsed += wait
        ids, cursor = await account.poll(cursor)
        told += ids
    return set(told)
