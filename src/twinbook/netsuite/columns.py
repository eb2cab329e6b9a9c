"""How fields of a record are asked for in SuiteQL and read from its rows (netsuite.md 4.1, 4.4, 4.5).

A column has the REST name in lower case. Every value arrives as text: checkboxes as T or F, NULL as an absent key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from twinbook.domain.records import Value
from twinbook.netsuite.fields import BOOLEAN, DATE, DATETIME, INTEGER, NUMBER
from twinbook.netsuite.suiteql import TIME_FORMAT, Row

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_FORMATS: Final = {DATE: "YYYY-MM-DD", DATETIME: TIME_FORMAT}


@dataclass(frozen=True, slots=True)
class Column:
    """One field by its REST name and type."""

    name: str
    type: str

    @property
    def key(self) -> str:
        """Where its value stands in a row."""
        return self.name.lower()

    def sql(self, table: str) -> str:
        """The column of `table` (an alias) for a SELECT list."""
        plain = f"{table}.{identifier(self.name)}"
        if self.type in _FORMATS:
            return f"TO_CHAR({plain}, '{_FORMATS[self.type]}') AS {self.key}"
        return plain

    def value(self, row: Row) -> Value:
        """Its value in a row: None when empty, a checkbox always true or false."""
        text = row.get(self.key)
        if self.type == BOOLEAN:
            return text == "T"
        if text is None or self.type not in (INTEGER, NUMBER):
            return text
        try:
            return int(text) if self.type == INTEGER else float(text)
        except ValueError:
            return text


def identifier(name: str) -> str:
    """A column name in lower case. Raises ValueError for what is none: names come from the settings."""
    if _IDENTIFIER.fullmatch(name) is None:
        raise ValueError(f"{name!r} is no field name; use the script id, such as custentity_region")
    return name.lower()


def select_list(expressions: Iterable[str]) -> str:
    """A SELECT list without repeats, in the order given."""
    return ", ".join(dict.fromkeys(expressions))
