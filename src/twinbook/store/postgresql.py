"""The store in a PostgreSQL database, for several processes on several machines.

Transactions that write begin by taking their connection's *turn*, an advisory lock that ends with the transaction. So
the writers of one connection run one after the other, wherever they run, exactly as on SQLite: whatever one has seen
is still so when it commits. There are no conflicts to be retried and no deadlocks, and a lock is held for milliseconds
where a call to NetSuite takes hundreds. Who freezes inside a transaction is cut off by the server within seconds.

A database that goes away for a while (a restart, a fail-over) is waited for. Whether a commit whose answer was lost
took place is asked from the server, so that nothing is done twice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar, cast

import orjson
import psycopg
import sqlalchemy as sa

from twinbook.store import migrations
from twinbook.store.access import Access, StoreUnavailableError, Tx, threads
from twinbook.store.locks import LOCKS, lock_key

T = TypeVar("T")

# Connections of one process: transactions that write take turns anyway, within each connection of the installation.
WRITERS = 4
READERS = 4

# Seconds that a transaction waits for a database that is away, and between two tries.
PATIENCE = 20.0
SHORTEST_PAUSE, LONGEST_PAUSE = 0.05, 1.0

# A silent network is noticed within some 15 s. The server ends what hangs: a statement, or a process that froze inside
# a transaction and holds its turn.
_RESILIENCE: Final[Mapping[str, str]] = {
    "connect_timeout": "5",
    "keepalives": "1",
    "keepalives_idle": "5",
    "keepalives_interval": "3",
    "keepalives_count": "3",
    "tcp_user_timeout": "15000",
    "application_name": "twinbook",
}
_LIMITS: Final = "-c statement_timeout=30s -c idle_in_transaction_session_timeout=5s"

# What passes by itself: the connection broke (class 08), the server is short of something (53) or goes down (57), a
# transaction was ended in favour of another one (40) or because it idled too long (25P03); for writing also a
# standby that was reached in a fail-over (25006).
_PASSING_CLASSES: Final = frozenset({"08", "40", "53", "57"})
_PASSING: Final = frozenset({"25P03"})
_READ_ONLY: Final = "25006"


def parameters(url: sa.URL) -> dict[str, Any]:
    """The connection's parameters as PostgreSQL's own library takes them, with time limits that the URL may change."""
    given = {name: value for name, value in url.query.items() if isinstance(value, str)}
    named = {
        "host": url.host,
        "port": str(url.port) if url.port else None,
        "user": url.username,
        "password": url.password if url.password is None else str(url.password),
        "dbname": url.database,
    }
    found = {**_RESILIENCE, **{name: value for name, value in named.items() if value}, **given}
    found["options"] = f"{_LIMITS} {given.get('options', '')}".strip()
    return found


def access(url: sa.URL) -> tuple[Access, Access]:
    """Connections that write, taking turns, and connections that read snapshots."""
    return Writing(_engine(url, WRITERS)), Reading(_engine(url, READERS, readonly=True))


class Writing(Access):
    """Runs transactions that take their connection's turn."""

    def __init__(self, engine: sa.Engine) -> None:
        super().__init__(engine, threads(WRITERS))
        self._closing = threading.Event()

    def run_now(self, scope: str, work: Callable[[Tx], T]) -> T:
        attempts = _Attempts(self._closing, writing=True)
        while True:
            attempt = _Attempt(self.engine)
            try:
                return attempt.run(scope, work)
            except sa.exc.DBAPIError as error:
                attempts.again_after(error)
            if attempt.was_committed(attempts):
                return cast(T, attempt.result)

    def close(self) -> None:
        self._closing.set()
        super().close()


class Reading(Access):
    """Runs transactions that cannot write."""

    def __init__(self, engine: sa.Engine) -> None:
        super().__init__(engine, threads(READERS))
        self._closing = threading.Event()

    def run_now(self, scope: str, work: Callable[[Tx], T]) -> T:
        attempts = _Attempts(self._closing, writing=False)
        while True:
            try:
                return super().run_now(scope, work)
            except sa.exc.DBAPIError as error:
                attempts.again_after(error)

    def close(self) -> None:
        self._closing.set()
        super().close()


class _Attempt:
    """One try of a transaction, and whether it was committed although nobody heard of it."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._number: str | None = None
        self._committing = False
        self.result: Any = None

    def run(self, scope: str, work: Callable[[Tx], T]) -> T:
        with self._engine.connect() as connection, connection.begin() as transaction:
            self._number = connection.execute(_TURN, {"scope": lock_key(f"turn {scope}")}).one().number
            result = self.result = work(Tx(connection, scope))
            self._committing = True
            transaction.commit()
            return result

    def was_committed(self, attempts: _Attempts) -> bool:
        """Asked after the connection was lost. Waits until the server knows."""
        while self._committing:
            try:
                with self._engine.connect() as connection:
                    status = connection.execute(_STATUS, {"number": self._number}).scalar_one()
                if status != "in progress":
                    return bool(status == "committed")
                attempts.pause(None)
            except sa.exc.DBAPIError as error:
                attempts.again_after(error)
        return False


class _Attempts:
    """How long a database that is away is waited for."""

    def __init__(self, closing: threading.Event, *, writing: bool) -> None:
        self._closing = closing
        self._writing = writing
        self._began = time.monotonic()
        self._wait = SHORTEST_PAUSE

    def again_after(self, error: sa.exc.DBAPIError) -> None:
        """Wait a moment if another try makes sense; else raises the error, or `StoreUnavailableError`."""
        standby = self._writing and getattr(error.orig, "sqlstate", None) == _READ_ONLY
        if not (passes(error) or standby):
            raise error
        self.pause(error)

    def pause(self, cause: Exception | None) -> None:
        if time.monotonic() - self._began > PATIENCE or self._closing.wait(self._wait):
            raise unavailable(cause) from cause
        self._wait = min(self._wait * 2, LONGEST_PAUSE)


def passes(error: sa.exc.DBAPIError) -> bool:
    """Whether the same transaction may succeed a moment later."""
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return error.connection_invalidated or isinstance(error.orig, psycopg.OperationalError)
    return state in _PASSING or state[:2] in _PASSING_CLASSES


def unavailable(cause: Exception | None) -> StoreUnavailableError:
    """What is said of a database that is away. PostgreSQL's own words name no password."""
    told = getattr(cause, "orig", cause)
    return StoreUnavailableError(f"the database does not answer: {' '.join(str(told).split())}")


def prepare(engine: sa.Engine, *, upgrade: bool) -> None:
    """Make or migrate the schema. Raises `StoreUnavailableError` when the database cannot be reached."""
    try:
        (migrations.upgrade if upgrade else migrations.make_or_check)(engine)
    except sa.exc.OperationalError as error:
        raise unavailable(error) from error


@contextmanager
def held(url: sa.URL, name: str, *, shared: bool) -> Iterator[bool]:
    """Try to take an advisory lock for as long as the block runs; whether it was free."""
    function = "pg_try_advisory_lock_shared" if shared else "pg_try_advisory_lock"
    try:
        with psycopg.connect(**parameters(url), autocommit=True) as connection:
            found = connection.execute(f"SELECT {function}(%s, %s)", (LOCKS, lock_key(name))).fetchone()
            yield found == (True,)
    except psycopg.OperationalError as error:
        raise unavailable(error) from error


def _engine(url: sa.URL, size: int, *, readonly: bool = False) -> sa.Engine:
    snapshot = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return sa.create_engine(
        "postgresql+psycopg://",
        connect_args=parameters(url),
        pool_size=size,
        max_overflow=0,
        pool_timeout=PATIENCE,
        pool_pre_ping=True,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        hide_parameters=True,  # messages of its errors would quote records
        execution_options=snapshot if readonly else {"isolation_level": "READ COMMITTED"},
    )


_TURN: Final = sa.text(f"SELECT pg_current_xact_id()::text AS number, pg_advisory_xact_lock({LOCKS}, :scope)")
_STATUS: Final = sa.text("SELECT pg_xact_status(CAST(:number AS xid8))")
