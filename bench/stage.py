"""What every benchmark stands on: the emulated systems and Twinbook, each as a process of its own, on real ports."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from twinbook.http import HttpSettings, HttpTransport
from twinbook.netsuite.auth import ClientCredentials, OAuth2Login
from twinbook.settings.sandbox import from_sandbox
from twinbook_sandbox.client import SandboxClient

ROOT = Path(__file__).parents[1]
SERVING_LOG = "twinbook.log"
STOP_SECONDS = 20.0
READY_SECONDS = 60.0
LOOK_SECONDS = 0.05
NO_POLLING = {
    f"TWINBOOK_CONNECTIONS__DEFAULT__{side}__POLL_SECONDS": "3600" for side in ("SALESFORCE", "NETSUITE")
}
"""Settings for benchmarks of single edits: no call of a poll stands among those of the edit."""
COLLECTION = 200
"""Records in one call of the Salesforce collections API."""

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process needed from its start to its end; the peak is of resident memory."""

    seconds: float
    cpu_seconds: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Api:
    """An API as its clients call it, with a login of its own."""

    http: HttpTransport
    base_url: str
    login: str

    async def call(
        self, method: str, path: str, *, json: Any = None, params: dict[str, str] | None = None
    ) -> bytes:
        """The body of a success; anything else ends the benchmark."""
        response = await self.http.request(
            method, self.base_url + path, headers={"Authorization": self.login}, json=json, params=params
        )
        if response.status >= 300:
            raise RuntimeError(f"{method} {path}: {response.status} {response.text()[:300]}")
        return response.body


@dataclass(frozen=True, slots=True)
class Stage:
    """The emulated systems, somebody who acts on each, their APIs, and a folder with settings for Twinbook."""

    sandbox: subprocess.Popen[bytes]
    salesforce: SandboxClient
    netsuite: SandboxClient
    salesforce_api: Api
    netsuite_api: Api
    directory: Path

    @property
    def store(self) -> Path:
        return self.directory / "twinbook.db"

    async def set_latency(self, milliseconds: float) -> None:
        for system in (self.salesforce, self.netsuite):
            await system.set_latency(milliseconds)

    async def reset_counters(self) -> None:
        for system in (self.salesforce, self.netsuite):
            await system.reset_counters()

    async def twinbook(
        self, *arguments: str, settings: Mapping[str, str] | None = None, log: str = "command.log"
    ) -> Usage:
        """Run one command of Twinbook to its end; `settings` are environment variables."""
        return await self.ended(self._twinbook(*arguments), settings=settings, log=log)

    async def ended(
        self, command: Sequence[str], *, settings: Mapping[str, str] | None = None, log: str = "command.log"
    ) -> Usage:
        """Run a program to its end."""
        began = time.perf_counter()
        process = self._start(command, settings=settings, log=log)
        ending, peak = asyncio.ensure_future(asyncio.to_thread(os.wait4, process.pid, 0)), 0.0
        while not ending.done():
            # The system's own account of a child that ended holds the memory of this process too, from the fork.
            peak = max(peak, peak_mb(process) or 0.0)
            await asyncio.wait([ending], timeout=LOOK_SECONDS)
        _, status, used = ending.result()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said = (self.directory / log).read_text()[-2000:]
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {said}")
        return Usage(time.perf_counter() - began, used.ru_utime + used.ru_stime, peak)

    def running(
        self, settings: Mapping[str, str] | None = None, *, workers: int = 1
    ) -> AbstractContextManager[subprocess.Popen[bytes]]:
        """`twinbook run`, from the moment it is in step; `settings` are environment variables."""
        return self.serving(self._twinbook("run", "--workers", str(workers)), "in step", settings)

    @contextmanager
    def serving(
        self, command: Sequence[str], ready: str, settings: Mapping[str, str] | None = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A program that goes on until it is stopped, from the moment it says that it is ready."""
        process = self._start(command, settings=settings, log=SERVING_LOG)
        try:
            self._await_ready(process, ready.encode())
            yield process
        finally:
            _stop(process)

    def _twinbook(self, *arguments: str) -> list[str]:
        config = str(self.directory / "twinbook.toml")
        return [sys.executable, "-m", "twinbook.cli", "--config", config, *arguments]

    def _start(
        self, command: Sequence[str], *, settings: Mapping[str, str] | None, log: str
    ) -> subprocess.Popen[bytes]:
        with (self.directory / log).open("wb") as to:
            return subprocess.Popen(
                command, stdout=to, stderr=to, cwd=ROOT, env={**_environment(), **(settings or {})}
            )

    def _await_ready(self, process: subprocess.Popen[bytes], ready: bytes) -> None:
        log = self.directory / SERVING_LOG
        began = time.monotonic()
        while ready not in log.read_bytes():
            if process.poll() is not None or time.monotonic() - began > READY_SECONDS:
                raise RuntimeError(f"it is not ready: {log.read_text()[-2000:]}")
            time.sleep(0.05)

    async def people(self, number: int, *, accounts: int) -> list[str]:
        """Contacts that Twinbook creates in NetSuite, at accounts that are linked with customers; their ids."""
        linked = [await self._linked_account(at) for at in range(accounts)]
        records = [_person(at, linked[at % accounts]) for at in range(number)]
        ids: list[str] = []
        for start in range(0, number, COLLECTION):
            ids += await self.insert("Contact", records[start : start + COLLECTION])
        return ids

    async def insert(self, sobject: str, records: list[Record]) -> list[str]:
        """At most 200 records in one call of the Salesforce API; their ids."""
        sent = [{"attributes": {"type": sobject}, **record} for record in records]
        path = "/services/data/v67.0/composite/sobjects"
        answer = await self.salesforce_api.call("POST", path, json={"allOrNone": True, "records": sent})
        return [result["id"] for result in orjson.loads(answer)]

    async def _linked_account(self, number: int) -> str:
        name = f"Company {number:05}"
        fields = {"companyName": name, "subsidiary": {"id": "1"}}
        customer = await self.netsuite.insert("customer", fields)
        account = await self.salesforce.insert("Account", {"Name": name, "NetSuite_Id__c": customer})
        await self.netsuite.update("customer", customer, {"custentity_twinbook_sf_id": account})
        return account


@asynccontextmanager
async def stage(*, accounts: int = 0, contacts: int = 0) -> AsyncIterator[Stage]:
    """Start the emulated systems, empty or with a data set of this size; all is gone afterwards."""
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="twinbook-bench-")))
        options = ("--accounts", str(accounts), "--contacts", str(contacts))
        process, described = await asyncio.to_thread(_start_sandbox, *options)
        stack.callback(_stop, process)
        from_sandbox(described, directory)
        salesforce, netsuite = described["salesforce"], described["netsuite"]
        http = await stack.enter_async_context(HttpTransport(HttpSettings(), time.time))
        yield Stage(
            process,
            await stack.enter_async_context(SandboxClient(salesforce["base_url"])),
            await stack.enter_async_context(SandboxClient(netsuite["base_url"])),
            await _salesforce_api(http, salesforce),
            await _netsuite_api(http, netsuite),
            directory,
        )


def resident_mb(process: subprocess.Popen[bytes]) -> float:
    """Memory that a running process holds."""
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000


def peak_mb(process: subprocess.Popen[bytes]) -> float | None:
    """The most memory that a running process has held so far; None of one that has just ended."""
    found = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
    return None if found is None else int(found[1]) * 1024 / 1_000_000


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """Processor time that a running process has used so far."""
    after_name = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    user, system = int(after_name[11]), int(after_name[12])
    return (user + system) / os.sysconf("SC_CLK_TCK")


async def _salesforce_api(http: HttpTransport, described: Record) -> Api:
    login, base_url = described["credentials"], described["base_url"]
    form = {
        "grant_type": "client_credentials",
        "client_id": login["consumer_key"],
        "client_secret": login["consumer_secret"],
    }
    answer = await http.request("POST", f"{base_url}/services/oauth2/token", params=form)
    return Api(http, base_url, f"Bearer {answer.json()['access_token']}")


async def _netsuite_api(http: HttpTransport, described: Record) -> Api:
    given, base_url = described["credentials"], described["base_url"]
    credentials = ClientCredentials(given["client_id"], given["certificate_id"], given["private_key"])
    login = OAuth2Login(http, base_url, lambda: credentials, wall=time.time, monotonic=time.monotonic)
    return Api(http, base_url, await login.authorization("POST", base_url))


def _start_sandbox(*options: str) -> tuple[subprocess.Popen[bytes], Record]:
    ports = [part for port in ("salesforce", "pubsub", "netsuite") for part in (f"--{port}-port", "0")]
    command = [sys.executable, "-m", "twinbook_sandbox", "--json", *ports, *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=_environment())
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("the sandbox did not start; its message stands above")
    return process, orjson.loads(line)


def _environment() -> dict[str, str]:
    """As an installation has it: with bytecode caches, which some build environments switch off."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _person(number: int, account: str) -> Record:
    return {
        "AccountId": account,
        "FirstName": f"Ada{number}",
        "LastName": f"Lovelace{number}",
        "Email": f"ada{number}@company.example",
        "Title": "Analyst",
        "Phone": f"+1 555 01{number:05}",
        "MailingStreet": f"{number} Engine Street",
        "MailingCity": "Springfield",
        "MailingPostalCode": "62701",
        "MailingCountry": "United States",
    }
