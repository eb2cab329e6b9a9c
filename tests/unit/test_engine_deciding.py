"""The matching report, its CSV file, and decisions that are read back from it."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from tests.memory.world import World, world

from twinbook.domain.reasons import Reason
from twinbook.domain.records import Entity, Key, Side
from twinbook.engine.care.deciding import Choice, Deciding
from twinbook.engine.insight.matching_report import Match, MatchKind, matches
from twinbook.spreadsheets.cells import FORMULA_STARTS, csv_text, open_for_writing, plain, safe
from twinbook.spreadsheets.matching import (
    COLUMNS,
    UnreadableFileError,
    read_choices,
    write_rows,
)


def _person(w: World, account: str | None, email: str | None, name: str = "Lovelace") -> str:
    return w.salesforce.user_creates_contact(FirstName="Ada", LastName=name, Email=email, AccountId=account)


def _there(w: World, customer: str | None, email: str, **fields: object) -> str:
    values = {"firstName": "A", "lastName": "B", "email": email, "subsidiary": "1", **fields}
    return w.netsuite.user_creates_contact(**values, **({"company": customer} if customer else {}))  # type: ignore[arg-type]


async def _all(w: World) -> dict[str, Match]:
    return {row.salesforce_id: row async for row in matches(w.connection)}


async def _decide(w: World, *choices: tuple[str, str]) -> list[str]:
    rows = [Choice(row, id_, decision) for row, (id_, decision) in enumerate(choices, start=2)]
    deciding = Deciding(w.connection)
    flaws = await deciding.flaws(rows)
    if not flaws:
        await deciding.store(rows, by="grace")
    return [str(flaw) for flaw in flaws]


async def _run(w: World) -> None:
    await w.mark(*(Key(Entity.CONTACT, Side.SALESFORCE, contact.id) for contact in w.salesforce.contacts))
    await w.settle()


async def test_every_pair_that_would_be_linked_created_ambiguous_or_taken_is_listed() -> None:
    async with world() as w:
        account, customer = w.linked_account()
        link = _person(w, account, "link@acme.example")
        found = _there(w, customer, "Link@acme.example")
        create = _person(w, account, "new@acme.example")
        many = _person(w, account, "many@acme.example")
        candidates = [_there(w, customer, "many@acme.example", lastName=f"B{i}") for i in range(2)]
        taken = _person(w, account, "link@acme.example", "Second")
        _person(w, account, None, "No Email")
        _person(w, None, "alone@acme.example", "No Account")
        rows = await _all(w)
        assert {id_: row.kind for id_, row in rows.items()} == {
            link: MatchKind.LINK,
            create: MatchKind.CREATE,
            many: MatchKind.AMBIGUOUS,
            taken: MatchKind.TAKEN,
        }
        assert rows[link].netsuite_id == found
        assert [candidate.id for candidate in rows[many].candidates] == candidates
        assert w.netsuite.writes + w.salesforce.writes == 0


async def test_decisions_are_obeyed_and_the_history_says_who_decided() -> None:
    async with world() as w:
        account, customer = w.linked_account()
        chosen, new, skipped, other = (
            _person(w, account, f"{name}@acme.example", name)
            for name in ("chosen", "new", "skipped", "other")
        )
        first = _there(w, customer, "chosen@acme.example", lastName="B1")
        second = _there(w, customer, "chosen@acme.example", lastName="B2")
        _there(w, customer, "new@acme.example", lastName="N")
        elsewhere = _there(w, customer, "old@acme.example", lastName="Old")
        assert await _decide(w, (chosen, second), (new, "new"), (skipped, "skip"), (other, elsewhere)) == []
        before = len(w.netsuite.contacts)
        await _run(w)
        assert (await w.outcome(chosen)).counterpart_id == second
        assert (await w.outcome(new)).written == "created"
        assert (await w.outcome(skipped)).reason is Reason.LEFT_OUT
        assert (await w.outcome(other)).counterpart_id == elsewhere
        assert len(w.netsuite.contacts) == before + 1
        assert w.netsuite.contact(first).salesforce_id is None
        for id_ in (chosen, new, other):
            newest = (await w.history(id_))[0]
            assert (newest.who, "grace chose" in newest.why) == ("grace", True)
        await _run(w)
        assert (await w.outcome(skipped)).reason is Reason.LEFT_OUT, (
            "to leave out is no decision for one look"
        )
        assert await _decide(w, (skipped, "clear")) == []
        await w.settle()
        assert (await w.outcome(skipped)).written == "created"


async def test_a_decision_waits_for_its_contact() -> None:
    async with world() as w:
        account = w.salesforce.user_creates_account("Prospect")
        contact = _person(w, account, "ada@acme.example")
        there = _there(w, None, "old@acme.example")
        assert await _decide(w, (contact, there)) == []
        await _run(w)
        assert (await w.outcome(contact)).reason is Reason.ACCOUNT_NOT_SYNCED
        customer = w.netsuite.user_creates_customer("Prospect", subsidiary="1")
        w.salesforce.user_edits(account, {"NetSuite_Id__c": customer})
        await w.settle()
        assert (await w.outcome(contact)).counterpart_id == there


async def test_each_mistake_names_its_row_and_column_and_nothing_is_stored() -> None:
    async with world() as w:
        account, customer = w.linked_account()
        linked = _person(w, account, "linked@acme.example", "Linked")
        await w.settle()
        holder = (await w.outcome(linked)).counterpart_id
        free, other, gone = (_person(w, account, f"{n}@acme.example", n) for n in ("free", "other", "gone"))
        there = _there(w, customer, "x@acme.example", lastName="X")
        w.salesforce.user_deletes(gone)
        w.connection = replace(w.connection, options=replace(w.connection.options, batch=2))
        found = await _decide(
            w,
            ("nonsense", "new"),
            (free, "maybe"),
            (gone, "new"),
            (linked, there),
            (other, "999999"),
            (free, str(holder)),
            (other, "skip"),
        )
        assert [flaw.partition(":")[0] for flaw in found] == [
            "row 2, column salesforce_id",
            "row 3, column decision",
            "row 4, column salesforce_id",
            "row 5, column decision",
            "row 6, column decision",
            "row 7, column salesforce_id",
            "row 8, column salesforce_id",
        ]
        assert all(row.decision is None for row in (await _all(w)).values())
        assert "already belongs" in (await _decide(w, (free, str(holder))))[0]
        assert "earlier row" in (await _decide(w, (free, there), (other, there)))[0]


def test_no_cell_is_taken_for_a_formula(tmp_path: Path) -> None:
    file = tmp_path / "matches.csv"
    names = [f"{start}cmd|' /C calc'!A0" for start in FORMULA_STARTS]
    rows = [Match(MatchKind.CREATE, "003", name, name, name, None, (), None) for name in names]
    with open_for_writing(file) as out:
        write_rows(out, rows, header=True)
    with file.open(encoding="utf-8-sig", newline="") as read:
        cells = [cell for row in list(csv.reader(read))[1:] for cell in row if cell]
    assert [cell for cell in cells if cell[0] in "=+-@\t\r\n"] == []
    assert [plain(safe(name)) for name in names if name.strip() == name] == [
        name for name in names if name.strip() == name
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_file_is_read_as_spreadsheets_of_any_country_save_it(tmp_path: Path, delimiter: str) -> None:
    file = tmp_path / "matches.csv"
    rows = [[*COLUMNS], ["003A", "Ada", "", "", "", "", "", " New "], ["003B", "", "", "", "", "", "", ""]]
    file.write_text("\r\n".join(delimiter.join(row) for row in rows), encoding="utf-8-sig")
    assert read_choices(file) == ([Choice(2, "003A", "new")], [])


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "column salesforce_id"), (b"a,b\n1,2\n", "column salesforce_id"), (b"\xff\xfe\x00", "UTF-8")],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "matches.csv"
    file.write_bytes(content)
    with pytest.raises(UnreadableFileError, match=says):
        read_choices(file)


def test_a_decision_without_a_contact_is_told(tmp_path: Path) -> None:
    file = tmp_path / "matches.csv"
    file.write_text("salesforce_id,decision\n,new\n", encoding="utf-8")
    choices, flaws = read_choices(file)
    assert (choices, [str(flaw).partition(":")[0] for flaw in flaws]) == ([], ["row 2, column salesforce_id"])


def test_text_that_looks_like_a_formula_is_defused_and_numbers_are_not() -> None:
    assert csv_text([["=1+1", "@x", -5, None, "Ada"]]) == '"\'=1+1","\'@x","-5","","Ada"\r\n'
