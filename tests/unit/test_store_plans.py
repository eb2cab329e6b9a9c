"""Statements that every batch runs cost the same however many links there are: SQLite walks no whole index for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from twinbook.domain.records import Entity
from twinbook.store import links
from twinbook.store.database import Database, Role, Store


def test_letting_go_of_intents_looks_them_up_by_their_salesforce_ids(tmp_path: Path) -> None:
    plans: list[str] = []

    def explain(
        connection: sa.Connection, _cursor: object, statement: str, parameters: Any, *_: object
    ) -> None:
        if statement.startswith(("DELETE", "UPDATE")):
            found = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(str(row[-1]) for row in found)

    database = Database.open_file(tmp_path / "twinbook.db", Role.OWNER)
    sa.event.listen(sa.Engine, "before_cursor_execute", explain)
    try:
        ids = [f"0035g{number:010}AAA" for number in range(200)]
        Store(database, "default").run_now(lambda tx: links.release(tx, Entity.CONTACT, ids))
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", explain)
        database.close()
    assert plans and all("salesforce_id=?" in plan for plan in plans), plans
