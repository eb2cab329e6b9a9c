"""Values are checked against the target's metadata before they are sent: a refusal costs a call and names no limit."""

from __future__ import annotations

from collections.abc import Iterable

from twinbook.domain.canonical import STREET_LINE_LENGTH, Kind
from twinbook.domain.errors import PermanentError
from twinbook.domain.mapping import MappingRow, Overflow
from twinbook.domain.ports import FieldMeta, Schema
from twinbook.domain.reasons import CATALOGUE, Reason
from twinbook.domain.records import Fields, Side, Value

SYSTEM_NAMES = {Side.SALESFORCE: "Salesforce", Side.NETSUITE: "NetSuite"}


def shortened(row: MappingRow, target: Side, value: Value, schema: Schema | None) -> Value:
    """The value cut to the length of its field, if the row asks for that."""
    if row.on_overflow is not Overflow.TRUNCATE or not isinstance(value, str):
        return value
    if row.kind is Kind.STREET and target is Side.NETSUITE:
        value = "\n".join(line[:STREET_LINE_LENGTH].rstrip() for line in value.split("\n"))
    meta = (schema or {}).get(row.field_on(target))
    return value if meta is None or meta.length is None else value[: meta.length].rstrip()


def problems(
    target: Side, changes: Fields, schema: Schema | None, rows: Iterable[MappingRow], *, creating: bool
) -> list[PermanentError]:
    """What the target would refuse in `changes`, in the order of the fields. Fields without metadata pass."""
    found = [_street_too_long(name, changes) for name in _streets(rows, target) if name in changes]
    for name, value in changes.items():
        meta = (schema or {}).get(name)
        if meta is not None:
            found.append(_refusal(target, meta, value))
    if creating:
        found += [_missing(target, meta) for meta in (schema or {}).values() if _is_needed(meta, changes)]
    return [problem for problem in found if problem is not None]


def _refusal(target: Side, meta: FieldMeta, value: Value) -> PermanentError | None:
    system = SYSTEM_NAMES[target]
    if not meta.writable:
        return error(Reason.READ_ONLY_FIELD, f"{system} does not let {meta.name} be written", meta.name)
    if value is None:
        return _missing(target, meta) if meta.required else None
    if meta.length is not None and isinstance(value, str) and len(value) > meta.length:
        message = f"{meta.name} has {len(value)} characters, {system} takes at most {meta.length}"
        return error(Reason.FIELD_TOO_LONG, message, meta.name)
    if meta.values is not None and str(value) not in meta.values:
        allowed = ", ".join(sorted(meta.values)[:10])
        message = f"{value!r} is not a value of {meta.name} in {system} (allowed: {allowed or 'none'})"
        return error(Reason.INVALID_VALUE, message, meta.name)
    return None


def error(reason: Reason, message: str, field: str | None = None) -> PermanentError:
    return PermanentError(reason, message, field=field, remedy=CATALOGUE[reason].remedy)


def _missing(target: Side, meta: FieldMeta) -> PermanentError:
    message = f"{SYSTEM_NAMES[target]} requires {meta.name}, and there is no value for it"
    return error(Reason.REQUIRED_FIELD_MISSING, message, meta.name)


def _is_needed(meta: FieldMeta, changes: Fields) -> bool:
    return meta.required and meta.writable and meta.name not in changes


def _streets(rows: Iterable[MappingRow], target: Side) -> list[str]:
    return [row.netsuite for row in rows if row.kind is Kind.STREET and target is Side.NETSUITE]


def _street_too_long(name: str, changes: Fields) -> PermanentError | None:
    longest = max(len(line) for line in str(changes[name] or "").split("\n"))
    if longest <= STREET_LINE_LENGTH:
        return None
    message = f"a line of {name} has {longest} characters, NetSuite takes at most {STREET_LINE_LENGTH}"
    return error(Reason.FIELD_TOO_LONG, message, name)
