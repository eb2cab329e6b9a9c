"""Finding contacts by the beginnings of words in their name and email, among a million as fast as among a hundred.

Each database has its own index for that: SQLite a full-text table that triggers keep in step with the outcomes,
PostgreSQL an index over the words. Neither is part of the declared schema, which is the same for both.
"""

# ruff: noqa: S608 - the statements are put together of constants
from __future__ import annotations

import re

import sqlalchemy as sa

from twinbook.domain.records import Entity
from twinbook.store.access import Tx
from twinbook.store.schema import outcome

# More than so many matches are not looked at: whoever searches types another letter.
MOST_MATCHES = 1000
MOST_WORDS = 8
# What separates words in emails and ids.
_SEPARATORS = "@.-_+'"

_WORDS = re.compile(r"[^\W_]+")

_ROW = "scope = {0}.scope AND side = {0}.side AND record_id = {0}.record_id"
_ADD = f"""INSERT INTO contact_words(rowid, name, email)
    SELECT id, new.name, coalesce(new.email, '') FROM contact_key WHERE {_ROW.format("new")};"""
_TAKE = f"""INSERT INTO contact_words(contact_words, rowid, name, email)
    SELECT 'delete', id, old.name, coalesce(old.email, '') FROM contact_key WHERE {_ROW.format("old")};"""

_SQLITE = (
    """CREATE TABLE contact_key (id INTEGER PRIMARY KEY, scope TEXT NOT NULL, side TEXT NOT NULL,
    record_id TEXT NOT NULL, UNIQUE (scope, side, record_id))""",
    """CREATE VIRTUAL TABLE contact_words USING fts5(name, email, content='', prefix='2 3',
    tokenize="unicode61 remove_diacritics 2")""",
    f"""CREATE TRIGGER contact_words_insert AFTER INSERT ON outcome WHEN new.entity = 'contact' BEGIN
    INSERT INTO contact_key(scope, side, record_id) VALUES (new.scope, new.side, new.record_id);
    {_ADD} END""",
    f"""CREATE TRIGGER contact_words_update AFTER UPDATE OF name, email ON outcome WHEN new.entity = 'contact'
    AND (old.name IS NOT new.name OR old.email IS NOT new.email) BEGIN {_TAKE} {_ADD} END""",
    f"""CREATE TRIGGER contact_words_delete AFTER DELETE ON outcome WHEN old.entity = 'contact' BEGIN
    {_TAKE} DELETE FROM contact_key WHERE {_ROW.format("old")}; END""",
)
# What was deleted stays in SQLite's full-text index until its parts are merged.
FORGET_DELETED = "INSERT INTO contact_words(contact_words) VALUES ('optimize')"
# What the triggers do for new rows, for those that were there before.
_SQLITE_FILL = (
    """INSERT INTO contact_key(scope, side, record_id)
    SELECT scope, side, record_id FROM outcome WHERE entity = 'contact'""",
    """INSERT INTO contact_words(rowid, name, email) SELECT id, name, coalesce(email, '')
    FROM contact_key JOIN outcome USING (scope, side, record_id) WHERE entity = 'contact'""",
)
# The order of the join is not left to the planner: hits are taken as the index gives them, the latest first, until
# there are enough. Its own choice took seconds where a name is common.
_MATCHING = """SELECT side, record_id FROM contact_words CROSS JOIN contact_key ON contact_key.id = contact_words.rowid
    WHERE contact_words MATCH :words AND scope = :scope ORDER BY contact_words.rowid DESC LIMIT :most"""
_TEXT = (
    f"translate(name || ' ' || coalesce(email, ''), '{_SEPARATORS.replace(chr(39), chr(39) * 2)}', '      ')"
)
_VECTOR = f"to_tsvector('simple', {_TEXT})"
_POSTGRESQL = (f"CREATE INDEX contact_words ON outcome USING gin ({_VECTOR}) WHERE entity = 'contact'",)


def make(db: sa.Connection) -> None:
    """Make the index of this database, with what is in the outcomes already."""
    on_sqlite = db.dialect.name == "sqlite"
    for statement in (*_SQLITE, *_SQLITE_FILL) if on_sqlite else _POSTGRESQL:
        db.exec_driver_sql(statement)


def words_of(text: str) -> list[str]:
    """The words to look for."""
    return _WORDS.findall(text.casefold())[:MOST_WORDS]


def matching(tx: Tx, words: list[str]) -> sa.Executable:
    """Side and record id of contacts in which a word begins with each of these: at most `MOST_MATCHES`."""
    if tx.db.dialect.name == "postgresql":
        query = " & ".join(f"{word}:*" for word in words)
        return (
            sa.select(outcome.c.side, outcome.c.record_id)
            .where(
                outcome.c.scope == tx.scope,
                outcome.c.entity == Entity.CONTACT,
                sa.literal_column(_VECTOR).op("@@")(sa.func.to_tsquery("simple", query)),
            )
            .limit(MOST_MATCHES)
        )
    query = " ".join(f'"{word}"*' for word in words)
    return sa.text(_MATCHING).bindparams(words=query, scope=tx.scope, most=MOST_MATCHES)
