"""Collects what one unit of work does to records and groups it into changes (salesforce.md 3.5).

Several operations on one record make one change: final values, type of the first operation. Records of one
object with the same change share it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from twinbook_sandbox.salesforce.changes import CREATE, DELETE, UNDELETE, UPDATE, Change
from twinbook_sandbox.salesforce.schema import ObjectSchema
from twinbook_sandbox.salesforce.storage import Row

_STAMPS = ("LastModifiedDate", "LastModifiedById")


@dataclass(frozen=True, slots=True)
class _Entry:
    change_type: str
    before: Row
    after: Row


@dataclass(frozen=True, slots=True)
class Commit:
    """What all changes of a unit of work have in common."""

    user_id: str
    origin: str
    at: datetime
    number: int


class Journal:
    """The changes of one unit of work, which may span several transactions in the sense of change events."""

    def __init__(self, schemas: Mapping[str, ObjectSchema], transaction_key: str) -> None:
        self._schemas = schemas
        self._transactions: list[tuple[str, dict[tuple[str, str], _Entry]]] = [(transaction_key, {})]

    @property
    def transaction_key(self) -> str:
        return self._transactions[-1][0]

    def begin(self, transaction_key: str) -> None:
        """What follows belongs to a further transaction."""
        self._transactions.append((transaction_key, {}))

    @contextmanager
    def tentative(self) -> Iterator[None]:
        """Forget what was noted inside when it ends with an exception."""
        key, entries = self._transactions[-1]
        before = dict(entries)
        try:
            yield
        except BaseException:
            self._transactions[-1] = (key, before)
            raise

    def created(self, entity: str, row: Row) -> None:
        self._note(entity, row["Id"], _Entry(CREATE, {}, row))

    def changed(self, entity: str, before: Row, after: Row) -> None:
        self._note(entity, after["Id"], _Entry(UPDATE, before, after))

    def deleted(self, entity: str, row: Row) -> None:
        self._note(entity, row["Id"], _Entry(DELETE, row, row))

    def undeleted(self, entity: str, row: Row) -> None:
        self._note(entity, row["Id"], _Entry(UNDELETE, row, row))

    def _note(self, entity: str, id_: str, entry: _Entry) -> None:
        entries = self._transactions[-1][1]
        earlier = entries.get((entity, id_))
        if earlier is None or entry.change_type == DELETE:
            entries[entity, id_] = entry
            if earlier is not None and earlier.change_type == CREATE:
                del entries[entity, id_]
        else:
            entries[entity, id_] = replace(earlier, after=entry.after)

    def changes(self, commit: Commit, *, with_unchanged: bool) -> list[Change]:
        """All changes in order; updates that changed no value only if wanted."""
        found: list[Change] = []
        for key, entries in self._transactions:
            grouped = self._grouped(entries, with_unchanged)
            found += [
                Change(
                    entity,
                    change_type,
                    tuple(ids),
                    fields,
                    commit.user_id,
                    commit.origin,
                    key,
                    sequence,
                    commit.number,
                    commit.at,
                )
                for sequence, (entity, change_type, fields, ids) in enumerate(grouped, 1)
            ]
        return found

    def _grouped(
        self, entries: Mapping[tuple[str, str], _Entry], with_unchanged: bool
    ) -> list[tuple[str, str, dict[str, Any], list[str]]]:
        groups: dict[Any, tuple[str, str, dict[str, Any], list[str]]] = {}
        for (entity, id_), entry in entries.items():
            fields = self._fields(entity, entry)
            if entry.change_type == UPDATE and not with_unchanged and fields.keys() <= set(_STAMPS):
                continue
            key = (entity, entry.change_type, frozenset(fields.items()))
            groups.setdefault(key, (entity, entry.change_type, fields, []))[3].append(id_)
        return list(groups.values())

    def _fields(self, entity: str, entry: _Entry) -> dict[str, Any]:
        if entry.change_type == DELETE:
            return {}
        schema, before, after = self._schemas[entity], entry.before, entry.after
        whole = entry.change_type in (CREATE, UNDELETE)
        names = (each.name for each in schema.change_fields)
        fields = {
            name: after[name]
            for name in names
            if whole or name == "LastModifiedDate" or before[name] != after[name]
        }
        for name in schema.checkboxes:
            if name in fields:
                fields[name] = bool(fields[name])
        return fields
