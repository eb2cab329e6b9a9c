"""Lanes as jobs of Procrastinate: any worker runs any free lane, and each lane runs once in the whole cluster.

A lane's job has its name as lock (one worker in a lane) and as queueing lock (wake-ups that wait are one). Losing all
jobs loses nothing: the leader's pulse rings while keys are due, and each ring wakes lanes anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import procrastinate
import psycopg
import sqlalchemy as sa
import structlog
from procrastinate import exceptions
from procrastinate.jobs import Status
from procrastinate.schema import SchemaManager

from twinbook.engine.connection import Connection
from twinbook.engine.running.lanes import SMALLEST_SHARE, Lane
from twinbook.engine.running.runner import together
from twinbook.store import dirty_keys, postgresql
from twinbook.store.database import StoreUnavailableError
from twinbook.store.locks import LOCKS, lock_key

log = structlog.get_logger()

# As measured (engine.md): a notification that comes during a fetch is forgotten until the next poll; a worker that is
# silent for so long is dead, and its lanes are given to others.
POLL_SECONDS: Final = 1.0
HEARTBEAT_SECONDS: Final = 2.0
DEAD_AFTER_SECONDS: Final = 8.0
# A lane is given up after so long, so that workers which join get their share.
TURN_SECONDS: Final = 30.0
# How long running lanes may take to end: the supervisor ends them before.
END_SECONDS: Final = 7.0
# Between two looks for lanes of dead workers; before a worker that ended is started again; between two wake-ups.
CARE_SECONDS: Final = 2.0
RESTART_SECONDS: Final = 0.5
BREATH_SECONDS: Final = 0.02


class LaneJobs:
    """The lanes of one connection, as this process takes part in them."""

    def __init__(self, parameters: Mapping[str, Any], connection: Connection) -> None:
        self._connection = connection
        self._lanes: Sequence[Lane] = ()
        # Notifications, heartbeats and jobs of several lanes share these few connections.
        connector = procrastinate.PsycopgConnector(
            kwargs=dict(parameters), min_size=1, max_size=4, name=f"jobs {connection.name}"
        )
        self._app = procrastinate.App(connector=connector)
        self._task = self._app.task(name="lane")(self._run)

    async def work(self, lanes: Sequence[Lane]) -> None:
        """Run lanes as they are woken, and wake them when this process' bell rings, until the lanes are stopped."""
        self._lanes = lanes
        async with self._app.open_async():
            await together([self._wake(), self._run_jobs()])

    async def care(self) -> None:
        """For ever: give the lanes of dead workers to others."""
        while True:
            await asyncio.sleep(CARE_SECONDS)
            try:
                stalled = await self._app.job_manager.get_stalled_jobs(
                    queue=self._connection.name, seconds_since_heartbeat=DEAD_AFTER_SECONDS
                )
                for job in stalled:
                    log.warning("lane-of-dead-worker", connection=self._connection.name, lane=job.lock)
                    await self._revive(job)
            except exceptions.ConnectorException as error:
                log.warning("jobs-unavailable", connection=self._connection.name, why=type(error).__name__)

    async def _revive(self, job: Any) -> None:
        """Run it again. Where the next wake-up waits already, that one does the work (Procrastinate's issue 1543)."""
        try:
            await self._app.job_manager.retry_job(job)
        except (exceptions.UniqueViolation, exceptions.AlreadyEnqueued):
            await self._app.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)

    async def _run_jobs(self) -> None:
        while not self._stopping:
            await self._take_jobs()

    async def _take_jobs(self) -> None:
        """One life of Procrastinate's worker. It ends with the lanes, or when the database was away."""
        working = asyncio.create_task(
            self._app.run_worker_async(
                queues=[self._connection.name],
                concurrency=len(self._lanes),
                fetch_job_polling_interval=POLL_SECONDS,
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                stalled_worker_timeout=DEAD_AFTER_SECONDS,
                shutdown_graceful_timeout=END_SECONDS,
                delete_jobs="always",
                install_signal_handlers=False,
            )
        )
        stopped = asyncio.create_task(self._until_stopped())
        try:
            await asyncio.wait([working, stopped], return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            # Cancelling asks it to end in good order.
            working.cancel()
            [ended] = await asyncio.gather(working, return_exceptions=True)
        if isinstance(ended, exceptions.ProcrastinateException | psycopg.Error):
            log.warning("jobs-interrupted", connection=self._connection.name, why=type(ended).__name__)
        elif isinstance(ended, Exception):
            raise ended
        if not self._stopping:
            await asyncio.sleep(RESTART_SECONDS)

    async def _run(self, number: int) -> None:
        """The job of one lane."""
        if number < len(self._lanes):
            await self._lanes[number].drain(at_most=TURN_SECONDS)
            self._connection.wake.ring()

    async def _wake(self) -> None:
        """Turn rings of this process' bell into jobs."""
        wake = self._connection.wake
        while not self._stopping:
            rings = wake.rings
            try:
                await self._wake_lanes()
            except (exceptions.ConnectorException, psycopg.Error, StoreUnavailableError) as error:
                log.warning("jobs-unavailable", connection=self._connection.name, why=type(error).__name__)
            await asyncio.sleep(BREATH_SECONDS)
            await wake.wait(POLL_SECONDS * 60, since=rings)

    async def _wake_lanes(self) -> None:
        """As many lanes as there is work for, free ones first. Lanes that have a wake-up waiting need no other."""
        now, number = self._connection.clock.now(), len(self._lanes)
        due = await self._connection.store.read(
            lambda tx: dirty_keys.due_at_most(tx, now=now, cap=number * SMALLEST_SHARE)
        )
        if not due:
            return
        jobs = await self._app.job_manager.list_jobs_async(queue=self._connection.name)
        waiting = {job.lock for job in jobs if job.status == Status.TODO.value}
        running = {job.lock for job in jobs if job.status == Status.DOING.value}
        names = {self._name(lane): lane for lane in range(number)}
        free = [name for name in names if name not in waiting | running]
        wanted = min(number, -(-due // SMALLEST_SHARE)) - len(waiting)
        busy = [name for name in names if name in running - waiting]
        for name in (free + busy)[: max(wanted, 0)]:
            with contextlib.suppress(exceptions.AlreadyEnqueued):
                await self._task.configure(
                    queue=self._connection.name, lock=name, queueing_lock=name
                ).defer_async(number=names[name])

    def _name(self, lane: int) -> str:
        return f"{self._connection.name} lane {lane}"

    @property
    def _stopping(self) -> bool:
        return all(lane.stopping for lane in self._lanes)

    async def _until_stopped(self) -> None:
        wake = self._connection.wake
        while not self._stopping:
            await wake.wait(POLL_SECONDS * 60, since=wake.rings)


def prepare(url: sa.URL) -> dict[str, Any]:
    """Make Procrastinate's tables in a schema of their own, and the parameters of connections that work there.

    The schema's name tells the version of its tables: workers of two versions, as in a rolling upgrade, each have
    their own, and need not know of each other. What nobody uses any more is dropped.
    """
    definition = SchemaManager.get_schema()
    name = f"{SCHEMA}_{hashlib.sha256(definition.encode()).hexdigest()[:8]}"
    with psycopg.connect(**postgresql.parameters(url)) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCKS, lock_key(SCHEMA)])
        found = connection.execute(
            "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s)", [SCHEMA]
        )
        schemas = {row[0] for row in found}
        for other in schemas - {name}:
            _drop_if_deserted(connection, other)
        if name not in schemas:
            connection.execute(f"CREATE SCHEMA {name}")
            connection.execute(f"SET LOCAL search_path TO {name}")
            connection.execute(definition)
    options = f"-c search_path={name}"
    return postgresql.parameters(url.update_query_dict({"options": options}, append=False))


def _drop_if_deserted(connection: psycopg.Connection[Any], schema: str) -> None:
    alive = connection.execute(
        f"SELECT 1 FROM {schema}.procrastinate_workers WHERE last_heartbeat > now() - interval '1 minute'"  # noqa: S608
    ).fetchone()
    if alive is None:
        connection.execute(f"DROP SCHEMA {schema} CASCADE")


SCHEMA: Final = "twinbook_jobs"
