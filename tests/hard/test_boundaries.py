"""What leaves the machine: connections to the configured hosts only, encrypted and verified by default."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest
from tests.scenario.product import Product, until

from twinbook.domain.errors import PermanentError
from twinbook.http import HttpSettings, HttpTransport
from twinbook.settings import SettingsError, load
from twinbook.settings.systems import NetSuiteSettings, SalesforceSettings
from twinbook_sandbox.launch import Sandbox, SandboxOptions

IPV4_IN_IPV6 = "0000000000000000FFFF0000"
RECORDING = """
import sys
told = open(sys.argv.pop(1), "a", buffering=1)
def note(event, arguments):
    if event == "socket.connect":
        told.write(f"connect {arguments[1]!r}\\n")
    elif event == "socket.getaddrinfo":
        told.write(f"resolve {arguments[0]!r}\\n")
sys.addaudithook(note)
from twinbook.cli.group import main
main()
"""
"""Twinbook, with every address that Python resolves or connects to written down."""


async def test_no_connection_goes_to_others_than_the_configured_hosts(p: Product) -> None:
    account, _ = await p.linked_account()
    told = p.directory / "addresses.txt"
    command = [sys.executable, "-c", RECORDING, str(told), "--config", str(p.config), "run"]
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **p.environment()},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    seen: set[tuple[str, int]] = set()

    async def arrived() -> bool:
        seen.update(_remote_ends(process.pid))
        return await p.in_netsuite(contact) is not None

    try:
        async with asyncio.timeout(60):
            while b"in step" not in await process.stderr.readline():
                assert not process.stderr.at_eof()
        contact = await p.contact(LastName="Okafor", Email="a@b.example", AccountId=account)
        await until(arrived, timeout=60)
    finally:
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 60)
    described = p.sandbox.describe()
    urls = [described[side]["base_url"] for side in ("salesforce", "netsuite")]
    ports = {int(url.rpartition(":")[2]) for url in urls}
    events = int(described["pubsub"]["endpoint"].rpartition(":")[2])
    lines = set(told.read_text(encoding="utf-8").splitlines())
    assert {line for line in lines if line.startswith("connect")} == {
        f"connect {('127.0.0.1', port)!r}" for port in ports
    }
    assert {line for line in lines if line.startswith("resolve")} <= {"resolve '127.0.0.1'"}
    assert ("127.0.0.1", events) in seen, "the event stream is not Python's, so the system is asked for it"
    assert seen <= {("127.0.0.1", port) for port in {*ports, events}}


def _remote_ends(pid: int) -> set[tuple[str, int]]:
    """Where the connections of a process lead, as the system sees them; addresses of IPv6 as they stand there."""
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            name = str(entry.readlink())
        except OSError:
            continue  # closed meanwhile
        if name.startswith("socket:["):
            inodes.add(name[8:-1])
    ends = set()
    tables = [Path(f"/proc/{pid}/net/{name}").read_text(encoding="ascii") for name in ("tcp", "tcp6")]
    for columns in (line.split() for table in tables for line in table.splitlines()[1:]):
        address, _, port = columns[2].removeprefix(IPV4_IN_IPV6).partition(":")
        if columns[9] in inodes and int(port, 16):
            parts = reversed(bytes.fromhex(address))
            ends.add((".".join(map(str, parts)) if len(address) == 8 else address, int(port, 16)))
    return ends


async def test_a_certificate_of_an_unknown_authority_is_refused() -> None:
    async with Sandbox(SandboxOptions(accounts=0, contacts=0, tls=True)) as sandbox:
        url = sandbox.describe()["salesforce"]["base_url"]
        async with HttpTransport(HttpSettings(), time.time) as http:
            with pytest.raises(PermanentError, match="certificate"):
                await http.request("GET", f"{url}/services/data")


def test_everything_is_encrypted_and_verified_by_default() -> None:
    assert HttpSettings().verify_tls
    for table in (SalesforceSettings, NetSuiteSettings):
        assert table.model_fields["verify_tls"].default is True
    assert SalesforceSettings.model_fields["pubsub_tls"].default is True


@pytest.mark.parametrize(
    "line",
    [
        'connections.default.salesforce.login_url = "http://acme.my.salesforce.com"',
        'connections.default.netsuite.base_url = "http://1234567.suitetalk.api.netsuite.com"',
    ],
)
def test_plain_http_to_other_machines_is_refused(line: str, tmp_path: Path) -> None:
    path = tmp_path / "twinbook.toml"
    path.write_text(line, encoding="utf-8")
    with pytest.raises(SettingsError, match="unencrypted"):
        load(path, {})
