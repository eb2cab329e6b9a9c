"""Functions that the translated queries call and SQLite does not have, or has otherwise.

Dates are local texts (``times``). A function that fails leaves its reason in ``Functions.failure``: SQLite
itself only says that some function failed.
"""

import re
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from twinbook_sandbox.netsuite.dates import (
    account_date_formatter,
    format_date,
    parse_account_date,
    parse_date,
)
from twinbook_sandbox.netsuite.schema import ENUMS
from twinbook_sandbox.netsuite.switches import NetSuiteSwitches
from twinbook_sandbox.netsuite.times import LOCAL, Calendar


class Functions:
    """The functions of one connection."""

    def __init__(
        self, connection: sqlite3.Connection, switches: NetSuiteSwitches, calendar: Calendar
    ) -> None:
        self._switches = switches
        self.failure = ""
        for name, arguments, function, constant in (
            ("F_SYSDATE", 0, calendar.local_now, False),
            ("F_PARSE_DATE", 2, parse_date, True),
            ("F_FORMAT_DATE", 2, format_date, True),
            ("F_ACCOUNT_DATE", 1, self._account_date, False),
            ("F_ACCOUNT_DATE_TEXT", 1, self._account_date_text, False),
            ("F_ADD_DAYS", 2, _add_days, True),
            ("F_ENUM", 2, _enum_name, True),
            ("F_REGEXP_LIKE", -1, _regexp_like, True),
            ("F_REGEXP_SUBSTR", 2, _regexp_substr, True),
            ("F_REGEXP_REPLACE", -1, _regexp_replace, True),
            ("F_REGEXP_INSTR", 2, _regexp_instr, True),
        ):
            connection.create_function(name, arguments, self._watched(function), deterministic=constant)

    def _watched(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            if arguments and arguments[0] is None:
                return None
            try:
                return function(*arguments)
            except (ValueError, TypeError, re.error) as error:
                self.failure = str(error)
                raise

        return call

    def _account_date(self, text: Any) -> str:
        return parse_account_date(str(text), self._switches.suiteql_date_format)

    def _account_date_text(self, local: str) -> str:
        return account_date_formatter(self._switches.suiteql_date_format)(local)


def _add_days(local: str, days: float) -> str:
    return (datetime.strptime(local, LOCAL) + timedelta(days=days)).strftime(LOCAL)


def _enum_name(name: str, value: str) -> str:
    return ENUMS[name].get(value, value)


def _pattern(pattern: str, flags: str = "") -> re.Pattern[str]:
    translated = re.sub(r"\[:(\w+):\]", lambda match: _CLASSES.get(match.group(1), ""), pattern)
    return re.compile(translated, re.IGNORECASE if "i" in (flags or "") else 0)


_CLASSES = {
    "alpha": "A-Za-z",
    "digit": "0-9",
    "alnum": "A-Za-z0-9",
    "space": r"\s",
    "punct": r"!-/:-@\[-`{-~",
}
"""POSIX classes that Oracle's patterns may use."""


def _regexp_like(text: Any, pattern: str, flags: str = "") -> int:
    return int(_pattern(pattern, flags).search(str(text)) is not None)


def _regexp_substr(text: Any, pattern: str) -> str | None:
    match = _pattern(pattern).search(str(text))
    return (match.group() or None) if match else None


def _regexp_replace(text: Any, pattern: str, replacement: str | None = "") -> str | None:
    return _pattern(pattern).sub(replacement or "", str(text)) or None


def _regexp_instr(text: Any, pattern: str) -> int:
    match = _pattern(pattern).search(str(text))
    return match.start() + 1 if match else 0
