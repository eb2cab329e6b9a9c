"""What a process works with follows the versions that are saved; faults of the file change nothing. An installation
that begins is told from one with faults."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.dashboard.rig import settings_in

from twinbook.cli import following
from twinbook.cli.following import Following
from twinbook.install.beginning import unfinished
from twinbook.settings.in_force import InForce
from twinbook.settings.revising import Origin
from twinbook.store import revisions
from twinbook.store.database import Database


@pytest.mark.parametrize(
    ("added", "told", "create", "version"),
    [
        ("[connections.default.contacts]\ncreate = false\n", ["default"], False, 1),
        ("[connections.default.contacts]\ncreate = 'perhaps'\n", [], True, None),
        ("[connections.default.contacts]\nupdate = false\n", ["default"], True, None),
    ],
    ids=["the version", "a value that does not fit", "something else than the version"],
)
async def test_a_version_is_taken_up_or_everything_stays(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    added: str,
    told: list[str],
    create: bool,
    version: int | None,
) -> None:
    monkeypatch.setattr(following, "LOOK_SECONDS", 0.01)
    path, database = tmp_path / "twinbook.toml", Database.open_memory()
    in_force = InForce(settings_in(tmp_path), Origin(path, {}))
    followed, stopped, heard = Following(in_force, database), asyncio.Event(), list[str]()
    await followed.begin()
    path.write_text(path.read_text() + added)
    await database.run("default", lambda tx: revisions.add(tx, "ada", {"contacts.create": False}, now=1.0))
    running = asyncio.create_task(followed.run(stopped, heard.append))
    looked = asyncio.create_task(_looked(followed))
    await asyncio.wait_for(looked, 10)
    stopped.set()
    await running
    assert heard == told
    assert in_force.settings.connections["default"].contacts.create is create
    assert in_force.versions["default"] == version


async def _looked(followed: Following) -> None:
    """Until it has noticed the version."""
    while followed._newest != {"default": 1}:
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        (None, True),
        ("[connections.default.salesforce]\n", True),
        ("[connections.default.salesforce]\nlogin_url = 'https://acme.my.salesforce.com'\n", True),
        ("[connections.default.salesforce]\nlogin_url = 'nonsense'\n", False),
        ("[connections.default.contacts]\ndirection = 'sideways'\n", False),
        ("[connections.a.salesforce]\n[connections.b.salesforce]\n", False),
    ],
)
def test_an_installation_that_begins_lacks_logins_and_nothing_else(
    tmp_path: Path, text: str | None, begins: bool
) -> None:
    path = tmp_path / "twinbook.toml"
    if text is not None:
        path.write_text(text)
    assert (unfinished(Origin(path, {}), None) is not None) is begins
