"""What is logged, and what never is: the words of an exception may quote a record or a secret, so nobody prints them.

Our own lines name events, ids and codes. Where something fails that nobody foresaw, here or inside a library, the line
says of what kind it was and where, and leaves out what it said.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict

from twinbook.settings.model import LogSettings


def configure_logging(settings: LogSettings) -> None:
    """One line an event on stderr, as text or JSON. Neither personal data nor secrets are ever logged."""
    render = (
        structlog.processors.JSONRenderer()
        if settings.format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            fault_without_values,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, settings.level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # What libraries say, and what fails in a task or thread that nobody waits for, would be printed as it is.
    logging.lastResort = _LinesOfLibraries(logging.WARNING)
    threading.excepthook = lambda given: _log_fault("fault-in-thread", given.exc_value)
    sys.unraisablehook = lambda given: _log_fault("fault-unraisable", given.exc_value)


def fault_without_values(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Where a fault happened and of what kind, without its message: that may quote a record."""
    if event.pop("exc_info", None):
        event.update(_described(sys.exc_info()[1]))
    return event


def places(frames: TracebackType | None) -> list[str]:
    """The lines of code that led to a fault, the outermost first."""
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(frames)]


def _described(fault: BaseException | None) -> dict[str, Any]:
    return {"fault": type(fault).__name__, "where": places(fault.__traceback__)} if fault else {"fault": None}


def _log_fault(event: str, fault: BaseException | None) -> None:
    structlog.get_logger().error(event, **_described(fault))


class _LinesOfLibraries(logging.Handler):
    """Lines of libraries: who spoke where, without the words."""

    def emit(self, record: logging.LogRecord) -> None:
        described = _described(record.exc_info[1]) if record.exc_info else {}
        place = f"{record.pathname}:{record.lineno}"
        structlog.get_logger().log(record.levelno, "library", library=record.name, place=place, **described)
