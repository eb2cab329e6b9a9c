"""Date texts: in the account's format, and in the format models of Oracle's TO_CHAR and TO_TIMESTAMP.

Dates are local texts without a zone, ``2026-10-01 02:15:00`` (see ``times``).
"""

import re
from collections.abc import Callable
from datetime import datetime

from twinbook_sandbox.netsuite.switches import DateFormat
from twinbook_sandbox.netsuite.times import LOCAL

_NUMBER = re.compile(r"\d+")
_MODEL = re.compile(
    r'"([^"]*)"|(YYYY|RRRR|YY|MONTH|MON|MM|DDD|DD|DAY|DY|D|HH24|HH12|HH|MI|SSSSS|SS|FF[1-9]?|AM|PM|A\.M\.|P\.M\.|FM)'
    r"|([-/,.;: T])",
    re.IGNORECASE,
)
_STRFTIME = {
    "YYYY": "%Y",
    "RRRR": "%Y",
    "YY": "%y",
    "MONTH": "%B",
    "MON": "%b",
    "MM": "%m",
    "DDD": "%j",
    "DD": "%d",
    "DAY": "%A",
    "DY": "%a",
    "HH24": "%H",
    "HH12": "%I",
    "HH": "%I",
    "MI": "%M",
    "SS": "%S",
    "AM": "%p",
    "PM": "%p",
    "A.M.": "%p",
    "P.M.": "%p",
    "FM": "",
}
_SQLITE_TOO = frozenset({"%Y", "%m", "%d", "%j", "%H", "%M", "%S"})
"""Directives that SQLite's own strftime knows: those formats cost no call of Python."""


def is_date_model(text: str) -> bool:
    """Whether a text is made of nothing but date format elements."""
    return _strftime(text) is not None


def _strftime(model: str) -> str | None:
    parts: list[str] = []
    position = 0
    while position < len(model):
        match = _MODEL.match(model, position)
        if match is None:
            return None
        literal, element, separator = match.groups()
        if element and element.upper() not in _STRFTIME:
            parts.append({"FF": "000000"}.get(element.upper()[:2], ""))
        else:
            parts.append(
                _STRFTIME[element.upper()] if element else (literal or separator or "").replace("%", "%%")
            )
        position = match.end()
    return "".join(parts)


def sqlite_strftime(model: str) -> str | None:
    """The format for SQLite's ``strftime``, if that can do it."""
    form = _strftime(model)
    if form is None or "%%" in form or set(re.findall(r"%.", form)) - _SQLITE_TOO:
        return None
    return form


def format_date(local: str, model: str) -> str:
    """A local date by an Oracle format model; ``ValueError`` if the model is none."""
    form = _strftime(model)
    if form is None:
        raise ValueError(f"Invalid date format '{model}'.")
    text = datetime.strptime(local, LOCAL).strftime(form)
    return text.upper() if model.isupper() and "%b" in form.lower() else text


def parse_date(text: str, model: str) -> str:
    """A text by an Oracle format model as a local date; ``ValueError`` if they do not fit."""
    form = _strftime(model)
    if form is None:
        raise ValueError(f"Invalid date format '{model}'.")
    if "FF" in model.upper():
        form, text = form.replace("000000", "%f"), text
    for shorter in (form, *_shortened(form)):
        try:
            return datetime.strptime(text.strip(), shorter).strftime(LOCAL)
        except ValueError:
            continue
    raise ValueError(f"Invalid date '{text}' for the format '{model}'.")


def _shortened(form: str) -> list[str]:
    """Oracle takes a text that ends before its format does."""
    cuts = [match.start() for match in re.finditer(r"%", form)][1:]
    return [form[:cut].rstrip(" :-/.T") for cut in reversed(cuts)]


def account_date_formatter(date_format: DateFormat) -> Callable[[str], str]:
    """A function that shows a local date in the account's format, without its time."""
    padded = "DD" in date_format or "MM" in date_format

    def show(local: str) -> str:
        year, month, day = local[:4], local[5:7], local[8:10]
        if not padded:
            month, day = month.lstrip("0"), day.lstrip("0")
        order = {"M": month, "D": day, "Y": year}
        separator = re.sub(r"[MDY]", "", date_format)[0]
        return separator.join(order[part[0]] for part in date_format.split(separator))

    return show


def parse_account_date(text: str, date_format: DateFormat) -> str:
    """A text in the account's format as a local date, with an optional time of day behind it."""
    separator = re.sub(r"[MDY]", "", date_format)[0]
    day, _, time = text.strip().partition(" ")
    parts = day.split(separator)
    letters = [part[0] for part in date_format.split(separator)]
    if len(parts) != 3 or not all(_NUMBER.fullmatch(part) for part in parts):
        raise ValueError(f"Invalid date '{text}'. The format is {date_format}.")
    numbers = {letter: int(part) for letter, part in zip(letters, parts, strict=True)}
    try:
        moment = datetime(numbers["Y"], numbers["M"], numbers["D"])
    except ValueError as error:
        raise ValueError(f"Invalid date '{text}'. The format is {date_format}.") from error
    if not time:
        return moment.strftime(LOCAL)
    for form in ("%I:%M %p", "%I:%M:%S %p", "%H:%M", "%H:%M:%S"):
        try:
            clock = datetime.strptime(time.strip().upper(), form)
        except ValueError:
            continue
        return moment.replace(hour=clock.hour, minute=clock.minute, second=clock.second).strftime(LOCAL)
    raise ValueError(f"Invalid time '{time}'.")
