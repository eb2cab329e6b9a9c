"""Log lines say what happened and where, and never what stood in a record, whoever logs and however it fails."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any

import click
import pytest
import structlog

from twinbook.cli import group
from twinbook.cli.exits import Exit
from twinbook.logs import configure_logging
from twinbook.salesforce.change_events import EventSchema, UndecodableEventError
from twinbook.settings.model import LogSettings
from twinbook_sandbox.pubsub.avro import event_schema
from twinbook_sandbox.salesforce.objects import schemas_with

QUOTED = "ada@acme.example"
FORMATS = ("console", "json")


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What `configure_logging` sets for the process, set back."""
    monkeypatch.setattr(logging, "lastResort", logging.lastResort)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    yield
    structlog.reset_defaults()


def fail() -> None:
    raise ValueError(f"{QUOTED} is not a phone number")


def logged_by_us() -> None:
    try:
        fail()
    except ValueError:
        structlog.get_logger().exception("unforeseen-fault", entity="contact")


def logged_by_a_library() -> None:
    try:
        fail()
    except ValueError:
        logging.getLogger("sqlalchemy.pool").exception("could not write %s", QUOTED)


def said_by_a_library() -> None:
    logging.getLogger("aiohttp.client").warning(
        "ValueError: odd header in the answer for %s, in fail", QUOTED
    )


def task_that_nobody_waits_for() -> None:
    async def program() -> None:
        async def work() -> None:
            fail()

        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task

    asyncio.run(program())


def thread_that_nobody_waits_for() -> None:
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()


def failing_finaliser() -> None:
    class Left:
        def __del__(self) -> None:
            fail()

    Left()


def configured(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    """As in a process of Twinbook, where nobody listens at the root as pytest does."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    configure_logging(LogSettings.model_validate(settings))


WAYS = (logged_by_us, logged_by_a_library, task_that_nobody_waits_for, thread_that_nobody_waits_for)


@pytest.mark.parametrize("level", ["debug", "error"])
@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("way", [*WAYS, failing_finaliser], ids=lambda way: way.__name__)
def test_a_fault_is_logged_by_kind_and_place_and_not_by_its_words(
    way: Any, kind: str, level: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(monkeypatch, format=kind, level=level)
    way()
    shown = capsys.readouterr().err
    assert "ValueError" in shown
    assert "test_logging.py" in shown
    assert QUOTED not in shown


@pytest.mark.parametrize("kind", FORMATS)
def test_a_line_of_a_library_names_its_place(
    kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(monkeypatch, format=kind)
    said_by_a_library()
    shown = capsys.readouterr().err
    assert "aiohttp.client" in shown
    assert QUOTED not in shown


@pytest.mark.parametrize("grouped", [False, True])
def test_a_command_that_fails_on_its_own_says_where_and_quotes_nobody(
    grouped: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    def crash() -> None:
        try:
            fail()
        except ValueError as error:
            raise ExceptionGroup(QUOTED, [error]) if grouped else error from None

    monkeypatch.setattr(group, "twinbook", crash)
    monkeypatch.setattr(sys, "argv", ["twinbook"])
    with pytest.raises(SystemExit) as ended:
        group.main()
    shown = capsys.readouterr()
    assert ended.value.code == Exit.FAULT
    assert "ValueError" in shown.err
    assert "test_logging.py" in shown.err
    assert QUOTED not in shown.err + shown.out


def test_an_event_that_cannot_be_read_is_told_without_its_bytes() -> None:
    schema = event_schema(schemas_with(frozenset(), "Salutation FirstName LastName")["Contact"])

    with pytest.raises(UndecodableEventError) as refused:
        EventSchema(schema.json).decode(bytes([2 * len(QUOTED) + 2]) + QUOTED.encode() + b"\xff")
    assert QUOTED not in str(refused.value)
