"""Reading records by id: whole ones or chosen fields (salesforce.md 4.2, 4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from twinbook_sandbox.salesforce.api import Call
from twinbook_sandbox.salesforce.schema import ObjectSchema
from twinbook_sandbox.salesforce.soql.compiler import Compiler, Statement
from twinbook_sandbox.salesforce.soql.syntax import InList, Literal, Name, Path, Query, Selected
from twinbook_sandbox.salesforce.state import OrgState


def all_fields(schema: ObjectSchema) -> list[str]:
    return [each.name for each in schema.fields]


def read_records(
    org: OrgState, call: Call, schema: ObjectSchema, ids: Sequence[str], fields: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Live records by 18-character id, with the fields named; ids that are not found are left out.

    Raises ApiError(INVALID_FIELD) for an unknown field.
    """
    statement = compile_read(org, schema, ids, fields)
    rows = org.executor.first(statement, len(ids))
    records = org.executor.records(statement, rows, call.record_url)
    return {row[0]: record for row, record in zip(rows, records, strict=True)}


def compile_read(org: OrgState, schema: ObjectSchema, ids: Sequence[str], fields: Sequence[str]) -> Statement:
    """The query behind `read_records`."""
    text = f"SELECT {','.join(fields)} FROM {schema.name}"  # noqa: S608
    select, column = [], len("SELECT ") + 1
    for each in dict.fromkeys(fields):
        names = tuple(Name(part, 1, column) for part in each.split("."))
        select.append(Selected(Path(names), None))
        column += len(each) + 1
    own_id = Path((Name("Id", 1, 1),))
    query = Query(tuple(select), Name(schema.name, 1, column + len("FROM ")))
    query = replace(query, where=InList(own_id, tuple(Literal("string", id_) for id_ in ids), negated=False))
    return Compiler(text, org.visible, org.clock.now().date(), with_deleted=False).compile(query)
