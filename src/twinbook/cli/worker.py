"""`worker`: one more process that keeps the connections in step, beside others over the same PostgreSQL database."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy import make_url

from twinbook.cli.context import load_settings, open_database, settings_origin
from twinbook.cli.courier import carry_messages
from twinbook.cli.exits import Exit, Problem
from twinbook.cli.following import Following
from twinbook.cli.terminal import say
from twinbook.composition import connect
from twinbook.engine.clock import Clock, SystemClock
from twinbook.engine.connection import Connection
from twinbook.engine.running.keeper import Keeper, either
from twinbook.engine.running.presence import at_work
from twinbook.engine.running.supervisor import Supervisor
from twinbook.logs import configure_logging
from twinbook.settings import Settings
from twinbook.settings.in_force import InForce
from twinbook.store import cursors
from twinbook.store.database import Database, Role, Store

if TYPE_CHECKING:
    from twinbook.cluster.worker import Member

# A worker that dies holds its keys for so long (seconds); where there is but one, the next start frees them at once.
SHARED_LEASE_SECONDS = 15.0
# Between two looks whether all changes are watched.
WATCHING_SECONDS = 0.2
# What a worker says on standard output once it takes part and changes are watched; `run --workers` waits for it.
READY = "ready"

Beside = Callable[[Database, Mapping[str, Connection], asyncio.Event], Coroutine[Any, Any, None]]


@click.command()
@click.option(
    "--end-with-input",
    is_flag=True,
    help="End as on SIGTERM when standard input is closed: whoever started this worker is gone.",
)
@click.pass_context
def worker(ctx: click.Context, end_with_input: bool) -> None:
    """Work beside other processes over the same PostgreSQL database, on this or another machine.

    Workers share all the work and the account's limit of NetSuite calls. Start as many as you like, stop any of them
    at any time; with the last one the sync stops.
    """
    settings = load_settings(ctx)
    if settings.store.url is None:
        raise Problem(
            "Workers share a PostgreSQL database: set store.url. With an SQLite file, `twinbook run` works alone.",
            Exit.USAGE,
        )
    configure_logging(settings.log)
    in_force = InForce(settings, settings_origin(ctx))
    stop_signal = or_end_of_input(stop_signals()) if end_with_input else stop_signals()
    asyncio.run(keep_in_step(in_force, SystemClock(), stop_signal, on_ready=lambda: say(READY)))


async def keep_in_step(
    in_force: InForce,
    clock: Clock,
    stop_signal: Callable[[], asyncio.Event],
    *,
    on_ready: Callable[[], None] = lambda: None,
    beside: Beside | None = None,
) -> None:
    """Work on all connections until told to stop. Alone over an SQLite file, with others over PostgreSQL. A version of
    the settings that is saved meanwhile takes effect; an installation that begins waits for something to work on.

    `beside` is what else this process does with the store until then, and with the connections that are live by name.
    """
    stopped, live, settings = stop_signal(), dict[str, Connection](), in_force.settings
    keepers: dict[str, Keeper] = {}
    database = await asyncio.to_thread(open_database, settings, Role.WORKER)
    try:
        async with _membership(settings, clock) as member, asyncio.TaskGroup() as group:
            following = Following(in_force, database)
            await following.begin()
            group.create_task(following.run(stopped, lambda name: keepers[name].renew() if keepers else None))
            if beside is not None:
                group.create_task(beside(database, live, stopped))
            await either(in_force.finished.wait(), stopped.wait())
            if stopped.is_set():
                return
            for name in settings.connections:
                keepers[name] = _keeper(in_force, Store(database, name), clock, member, stopped, live)
            await _keep(list(keepers.values()), database, settings, stopped, on_ready)
    finally:
        await asyncio.to_thread(database.close)


async def _keep(
    keepers: Sequence[Keeper],
    database: Database,
    settings: Settings,
    stopped: asyncio.Event,
    on_ready: Callable[[], None],
) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(keeper.run(stopped, alone=len(keepers) == 1)) for keeper in keepers]
        group.create_task(carry_messages(database, settings, stopped))
        telling = group.create_task(_tell([keeper.tried for keeper in keepers], on_ready))
        await stopped.wait()
        telling.cancel()
        for task, keeper in zip(tasks, keepers, strict=True):
            # A system that does not answer must not hold up the end.
            if keeper.connecting:
                task.cancel()


def stop_signals(at_once: Callable[[], None] = lambda: None) -> Callable[[], asyncio.Event]:
    """Makes an event that the first SIGTERM or Ctrl-C sets; the second ends the process at once, after `at_once`."""

    def listen() -> asyncio.Event:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()

        def told(number: int) -> None:
            if stop.is_set():
                at_once()
                os._exit(128 + number)
            stop.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, told, number)
        return stop

    return listen


def or_end_of_input(stop_signal: Callable[[], asyncio.Event]) -> Callable[[], asyncio.Event]:
    """Has the same event set when standard input ends. A pipe ends with the process that holds its other end, however
    that dies: no orphan goes on working."""

    def listen() -> asyncio.Event:
        stop, loop, source = stop_signal(), asyncio.get_running_loop(), sys.stdin.fileno()

        def heard() -> None:
            if not os.read(source, 1024):
                loop.remove_reader(source)
                stop.set()

        loop.add_reader(source, heard)
        return stop

    return listen


@asynccontextmanager
async def _membership(settings: Settings, clock: Clock) -> AsyncIterator[Member | None]:
    if settings.store.url is None:
        yield None
        return
    from twinbook.cluster.worker import member

    async with member(make_url(settings.store.url.get_secret_value()), clock) as joined:
        yield joined


def _keeper(
    in_force: InForce,
    store: Store,
    clock: Clock,
    member: Member | None,
    stopped: asyncio.Event,
    live: dict[str, Connection],
) -> Keeper:
    own_clock, permits = (clock, None) if member is None else (member.clock, member.permits)

    def ready() -> None:
        if not stopped.is_set():
            say(f"{store.scope}: in step with Salesforce and NetSuite; stop with Ctrl-C", err=True)

    def opened() -> AbstractAsyncContextManager[Connection]:
        settings, version = in_force.settings.connections[store.scope], in_force.versions.get(store.scope)
        opening = connect(
            settings, store, own_clock, permits, reread=lambda: in_force.as_written(store.scope)
        )
        return _live(opening, live, version)

    return Keeper(
        opened,
        lambda connection: _supervisor(connection, member),
        store,
        own_clock,
        taken_up=_somebody_watches,
        on_ready=ready,
        chance=random.Random(),  # noqa: S311 - spreads out retries
    )


@asynccontextmanager
async def _live(
    connecting: AbstractAsyncContextManager[Connection], live: dict[str, Connection], version: int | None
) -> AsyncIterator[Connection]:
    """The connection, which others in this process find in `live` as long as it is open, and people in the store."""
    async with connecting as connection, at_work(connection, _process_name(), version):
        live[connection.name] = connection
        try:
            yield connection
        finally:
            del live[connection.name]


def _process_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


async def _somebody_watches(connection: Connection, running: asyncio.Task[None]) -> None:
    """Until each source of changes has a position in the store, whoever stored it: nothing is missed from then on."""
    watched = {str(source) for source in connection.options.watch}
    while not running.done():
        streams = await connection.store.read(cursors.ages)
        if watched <= {stream.partition(":")[2] for stream in streams}:
            return
        await connection.clock.sleep(WATCHING_SECONDS)


def _supervisor(connection: Connection, member: Member | None) -> Supervisor:
    if member is None:
        return Supervisor(connection)
    shared = replace(connection, options=replace(connection.options, lease_seconds=SHARED_LEASE_SECONDS))
    return Supervisor(shared, member.runner(shared))


async def _tell(tried: list[asyncio.Event], on_ready: Callable[[], None]) -> None:
    for event in tried:
        await event.wait()
    on_ready()
