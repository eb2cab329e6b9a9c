"""What a sweep found as a CSV file: one row a field that differs."""

from __future__ import annotations

from collections.abc import Iterator

from twinbook.store.drifts import Line

COLUMNS = (
    *("sweep", "kind", "salesforce_id", "netsuite_id", "name", "why"),
    *("field", "salesforce", "netsuite", "agreed", "verdict", "done"),
)


def cells_of(line: Line) -> Iterator[tuple[str, ...]]:
    """The rows of one finding."""
    found = line.found
    ids = (found.salesforce_id or "", found.netsuite_id or "")
    head = (str(line.run_id), found.drift.kind.value, *ids, found.name, found.drift.why)
    for field in found.drift.fields:
        values = map(shown, (field.salesforce, field.netsuite, field.agreed))
        yield (*head, field.field, *values, field.verdict, done(line))
    if not found.drift.fields:
        yield (*head, "", "", "", "", "", done(line))


def done(line: Line) -> str:
    """What came of a finding, in words."""
    if line.queued_at is None:
        return "only reported"
    if line.outcome is None:
        return "waits to be looked at"
    return f"{line.outcome.value} {line.reason.value}" if line.reason else line.outcome.value


def shown(value: object) -> str:
    """A value as it stands in a cell."""
    return "" if value is None else str(value)
