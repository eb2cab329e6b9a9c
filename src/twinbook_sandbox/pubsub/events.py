"""Change events: what the org committed, as the header and body of an event (salesforce.md 3.2 to 3.6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from twinbook_sandbox.pubsub.avro import EventSchema
from twinbook_sandbox.pubsub.bitmaps import bitmaps
from twinbook_sandbox.salesforce.changes import UPDATE, Change

OVERFLOW = "GAP_OVERFLOW"
OVERFLOW_ID = "000000000000000AAA"
"""The record id in an overflow event, which stands for no record in particular."""


@dataclass(frozen=True, slots=True)
class Event:
    """A change event, encoded. Its `id` stays the same however often it is delivered."""

    id: str
    entity: str
    schema_id: str
    payload: bytes


def encode(change: Change, schema: EventSchema, *, parent_bit: bool = False) -> bytes:
    """The payload of a change. `parent_bit`: a compound field is marked besides its changed parts."""
    if change.change_type != UPDATE:
        return schema.encode(_header(change, [], []), _body(schema, change.fields, keep_empty=False))
    # A field that the schema does not know (SystemModstamp …) is no part of the event.
    known = [name for name in change.fields if name in schema.places]
    nulled = [name for name in known if change.fields[name] is None]
    header = _header(
        change, _marks(schema, nulled, parent_bit=False), _marks(schema, known, parent_bit=parent_bit)
    )
    return schema.encode(header, _body(schema, change.fields, keep_empty=True))


def _header(change: Change, nulled: list[str], changed: list[str]) -> dict[str, Any]:
    return {
        "entityName": change.entity,
        "recordIds": list(change.record_ids),
        "changeType": change.change_type,
        "changeOrigin": change.origin,
        "transactionKey": change.transaction_key,
        "sequenceNumber": change.sequence_number,
        "commitTimestamp": whole_seconds_ms(change.committed_at),
        "commitNumber": change.commit_number,
        "commitUser": change.user_id,
        "nulledFields": nulled,
        "diffFields": [],
        "changedFields": changed,
    }


def whole_seconds_ms(at: datetime) -> int:
    """Epoch milliseconds as events show them: floored to the second (salesforce.md 3.2)."""
    return int(at.timestamp()) * 1000


def _marks(schema: EventSchema, names: Iterable[str], *, parent_bit: bool) -> list[str]:
    top_level: set[int] = set()
    parts: defaultdict[int, set[int]] = defaultdict(set)
    for name in names:
        place = schema.places[name]
        if place.part is None:
            top_level.add(place.position)
        else:
            parts[place.position].add(place.part)
    return bitmaps(top_level | (parts.keys() if parent_bit else set()), parts)


def _body(schema: EventSchema, fields: Mapping[str, Any], *, keep_empty: bool) -> dict[str, Any]:
    """Avro values by top-level field. A compound field without any value is null unless its parts changed."""
    body: dict[str, Any] = {}
    for name, value in fields.items():
        place = schema.places.get(name)
        if place is None:
            continue
        converted = None if value is None else place.convert(value)
        if place.part is None:
            body.setdefault(place.name, converted)
        elif converted is not None or keep_empty:
            # The name of an account is a text, or that of a person in parts: then the parts win.
            if not isinstance(body.get(place.name), dict):
                body[place.name] = {}
            body[place.name][place.part_name] = converted
    return body
