"""Dates and times as the API writes them: `YYYY-MM-DD` and `YYYY-MM-DDThh:mm:ss.000+0000` (salesforce.md 4.1)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

_DATETIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,3})?\s*(Z|[+-]\d\d:?\d\d)?", re.IGNORECASE)


def datetime_text(moment: datetime) -> str:
    """API form of an aware datetime, in UTC, whole seconds. In this form texts sort as the moments do."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def parse_datetime(text: str) -> datetime:
    """Read an ISO datetime with zone; without one it is UTC. ValueError when it is none."""
    match = _DATETIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not a datetime: {text}")
    moment, zone = match.groups()
    offset = "+00:00" if zone in (None, "Z", "z") else zone
    return datetime.fromisoformat(moment + offset).astimezone(UTC)


def parse_date(text: str) -> date:
    """Read `YYYY-MM-DD`, which may be followed by a time. ValueError when it is none."""
    return parse_datetime(text).date() if "T" in text else date.fromisoformat(text)


def http_date(moment: datetime) -> str:
    """RFC 1123 form, for Last-Modified."""
    return moment.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
