"""SOQL date literals: each names a span of days, the first one included, the last one not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

from twinbook_sandbox.salesforce.errors import ApiError

Span = tuple[date, date]


def _month(day: date, offset: int = 0) -> Span:
    def first(months: int) -> date:
        return date(months // 12, months % 12 + 1, 1)

    number = day.year * 12 + day.month - 1 + offset
    return first(number), first(number + 1)


def _week(day: date, offset: int = 0) -> Span:
    sunday = day - timedelta(days=(day.weekday() + 1) % 7) + timedelta(weeks=offset)
    return sunday, sunday + timedelta(weeks=1)


def _quarter(day: date, offset: int = 0) -> Span:
    start = _month(day, 3 * offset - (day.month - 1) % 3)[0]
    return start, _month(start, 3)[0]


def _year(day: date, offset: int = 0) -> Span:
    return date(day.year + offset, 1, 1), date(day.year + offset + 1, 1, 1)


def _days(first: int, last: int) -> Callable[[date], Span]:
    return lambda day: (day + timedelta(days=first), day + timedelta(days=last))


_FIXED: Mapping[str, Callable[[date], Span]] = {
    "YESTERDAY": _days(-1, 0),
    "TODAY": _days(0, 1),
    "TOMORROW": _days(1, 2),
    "LAST_WEEK": lambda day: _week(day, -1),
    "THIS_WEEK": _week,
    "NEXT_WEEK": lambda day: _week(day, 1),
    "LAST_MONTH": lambda day: _month(day, -1),
    "THIS_MONTH": _month,
    "NEXT_MONTH": lambda day: _month(day, 1),
    "LAST_90_DAYS": _days(-90, 1),
    "NEXT_90_DAYS": _days(1, 91),
    "LAST_QUARTER": lambda day: _quarter(day, -1),
    "THIS_QUARTER": _quarter,
    "NEXT_QUARTER": lambda day: _quarter(day, 1),
    "LAST_YEAR": lambda day: _year(day, -1),
    "THIS_YEAR": _year,
    "NEXT_YEAR": lambda day: _year(day, 1),
}

_COUNTED: Mapping[str, Callable[[date, int], Span]] = {
    "LAST_N_DAYS": lambda day, n: _days(-n, 1)(day),
    "NEXT_N_DAYS": lambda day, n: _days(1, n + 1)(day),
    "N_DAYS_AGO": lambda day, n: _days(-n, 1 - n)(day),
    "LAST_N_WEEKS": lambda day, n: (_week(day, -n)[0], _week(day)[0]),
    "NEXT_N_WEEKS": lambda day, n: (_week(day, 1)[0], _week(day, n + 1)[0]),
    "LAST_N_MONTHS": lambda day, n: (_month(day, -n)[0], _month(day)[0]),
    "NEXT_N_MONTHS": lambda day, n: (_month(day, 1)[0], _month(day, n + 1)[0]),
    "LAST_N_YEARS": lambda day, n: (_year(day, -n)[0], _year(day)[0]),
    "NEXT_N_YEARS": lambda day, n: (_year(day, 1)[0], _year(day, n + 1)[0]),
}


def span_of(literal: str, today: date) -> Span:
    """The days that a literal such as `TODAY` or `LAST_N_DAYS:5` means. Raises ApiError(MALFORMED_QUERY)."""
    name, _, count = literal.partition(":")
    if count and name in _COUNTED:
        return _COUNTED[name](today, int(count))
    if not count and name in _FIXED:
        return _FIXED[name](today)
    raise ApiError("MALFORMED_QUERY", f"unexpected token: '{literal}'")
