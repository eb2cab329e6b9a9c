"""`install` from an empty folder to contacts in step, against the real protocols; and the change of a key."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.scenario.deployment import deploy
from tests.scenario.product import Answer, Product

from twinbook import certificates
from twinbook.composition import Sides, open_sides
from twinbook.domain.records import Entity
from twinbook.install import Draft, System, examine, guide_of
from twinbook.install.keys import ensure_key
from twinbook.install.rotation import CannotRotateError, rotate
from twinbook.settings import ConnectionSettings, load


@pytest.fixture
def fresh(p: Product, tmp_path: Path) -> Product:
    """An empty folder; the environment tells only what differs between a sandbox on this machine and the world."""
    for made in tmp_path.iterdir():
        made.unlink()
    described = p.sandbox.describe()
    p.configure("salesforce", pubsub_endpoint=described["pubsub"]["endpoint"], pubsub_tls=False)
    p.configure("netsuite", base_url=described["netsuite"]["base_url"])
    return p


async def by_command(p: Product, system: str, *arguments: str) -> dict[str, Any]:
    answer = await p.command("install", system, *arguments, "--json")
    assert answer.code in (0, 1), answer.err
    told: dict[str, Any] = answer.json()
    assert (told["next"] is None) is (answer.code == 0)
    return told | {"states": {step["code"]: step["state"] for step in told["guide"]["steps"]}}


async def install(p: Product, system: str, **values: str) -> str | None:
    """What the command does, in this process; returns the next step."""
    draft, system = Draft.open(p.config, None, p.environment()), System(system)
    draft.enter(system, values)
    now = datetime.now(UTC)
    key = ensure_key(draft, system, now=now, replace=False)
    settings = draft.settings(system)
    checks = [check async for check in examine(settings, system, now=now)] if settings else []
    guide = guide_of(draft, system, key, checks)
    draft.file.save()
    return guide.next.code if guide.next else None


async def turn(p: Product, system: str, certificate_id: str | None = None) -> str | None:
    """`install --rotate`, in this process; returns the next step."""
    draft = Draft.open(p.config, None, p.environment())
    guide = await rotate(draft, System(system), certificate_id=certificate_id, now=datetime.now(UTC))
    draft.file.save()
    return guide.next.code if guide.next else None


async def upload_to_salesforce(p: Product, certificate: Path) -> None:
    await p.salesforce.act("set_certificate", certificate=certificate.read_text())


async def upload_to_netsuite(p: Product, certificate: Path) -> str:
    told = await p.netsuite.act("upload_certificate", certificate=certificate.read_text())
    return str(told["certificate_id"])


async def installed(p: Product, tmp_path: Path) -> None:
    login = p.sandbox.describe()["salesforce"]["credentials"]
    account = p.sandbox.describe()["netsuite"]["credentials"]
    await deploy(p.salesforce, "Twinbook_Integration")
    await install(p, "salesforce", login_url=login["login_url"], username=login["username"])
    await upload_to_salesforce(p, tmp_path / "salesforce.crt")
    assert await install(p, "salesforce", client_id=login["consumer_key"]) is None
    await install(p, "netsuite", account_id=account["account_id"], client_id=account["client_id"])
    id_ = await upload_to_netsuite(p, tmp_path / "netsuite.crt")
    assert await install(p, "netsuite", certificate_id=id_) is None


async def test_step_by_step_to_settings_that_doctor_accepts(fresh: Product, tmp_path: Path) -> None:
    login = fresh.sandbox.describe()["salesforce"]["credentials"]
    account = fresh.sandbox.describe()["netsuite"]["credentials"]
    begun = await by_command(fresh, "salesforce")
    assert begun["next"] == "org"
    assert begun["states"] == {
        "org": "to-do",
        "key": "done",
        "package": "to-do",
        "user": "to-do",
        "app": "to-do",
        "events": "to-do",
    }
    key = (tmp_path / "salesforce.pem").read_bytes()
    assert certificates.read(tmp_path / "salesforce.crt").belongs_to(key.decode())

    values = (
        "--login-url",
        login["login_url"],
        "--username",
        login["username"],
        "--client-id",
        login["consumer_key"],
    )
    refused = await by_command(fresh, "salesforce", *values)
    assert refused["states"]["app"] == "broken", "its certificate is not uploaded yet"
    assert (tmp_path / "salesforce.pem").read_bytes() == key, "a second run makes no second key"

    await upload_to_salesforce(fresh, tmp_path / "salesforce.crt")
    await deploy(fresh.salesforce)
    undeployed = await by_command(fresh, "salesforce")
    assert undeployed["states"]["package"] == "broken", "without a permission set the API is closed"
    await deploy(fresh.salesforce, "Twinbook_Integration")
    assert (await by_command(fresh, "salesforce"))["next"] is None

    assert (await by_command(fresh, "netsuite"))["next"] == "account"
    values = ("--account-id", account["account_id"], "--client-id", account["client_id"])
    assert (await by_command(fresh, "netsuite", *values))["next"] == "package"
    id_ = await upload_to_netsuite(fresh, tmp_path / "netsuite.crt")
    assert (await by_command(fresh, "netsuite", "--certificate-id", id_, "--ping"))["next"] is None
    [secret] = re.findall(r'^secret = "(.*)"$', fresh.config.read_text(), re.MULTILINE)
    assert len(secret) >= 32

    doctor = await fresh.command("doctor", "--json")
    assert [check for check in doctor.json() if check["verdict"] == "broken"] == []
    details = {check["code"]: check["detail"] for check in doctor.json()}
    assert "valid until" in details["salesforce.certificate"]
    private = {path.name for path in tmp_path.iterdir() if path.stat().st_mode & 0o077}
    assert private & {"twinbook.toml", "salesforce.pem", "netsuite.pem"} == set()


async def test_a_wrong_value_is_refused_and_nothing_is_written(fresh: Product, tmp_path: Path) -> None:
    answer: Answer = await fresh.command(
        "install", "salesforce", "--login-url", "http://acme.my.salesforce.com"
    )
    assert (answer.code, "Write https://" in answer.err) == (2, True)
    assert list(tmp_path.glob("*")) == []


async def test_a_key_is_replaced_without_a_moment_without_a_working_one(
    fresh: Product, tmp_path: Path
) -> None:
    await installed(fresh, tmp_path)
    old = (tmp_path / "netsuite.pem").read_bytes()
    assert await turn(fresh, "netsuite") == "upload"
    assert await install(fresh, "netsuite") is None, "the old one still works"
    assert await turn(fresh, "netsuite", "not-this-one") == "upload"
    assert 'private_key_file = "netsuite.pem"' in fresh.config.read_text()
    id_ = await upload_to_netsuite(fresh, tmp_path / "netsuite-2.crt")
    assert await turn(fresh, "netsuite", id_) is None
    text = fresh.config.read_text()
    assert 'private_key_file = "netsuite-2.pem"' in text
    assert f'certificate_id = "{id_}"' in text
    assert (tmp_path / "netsuite.pem").read_bytes() == old
    assert await install(fresh, "netsuite") is None

    assert await turn(fresh, "salesforce") == "upload"
    assert await turn(fresh, "salesforce") == "upload", "not uploaded yet, so it does not log in"
    assert await install(fresh, "salesforce") is None, "and the old one is in use"
    await upload_to_salesforce(fresh, tmp_path / "salesforce-2.crt")
    assert await turn(fresh, "salesforce") is None
    assert 'private_key_file = "salesforce-2.pem"' in fresh.config.read_text()
    assert await install(fresh, "salesforce") is None


async def test_who_runs_logs_in_with_the_next_key_without_a_restart(fresh: Product, tmp_path: Path) -> None:
    await installed(fresh, tmp_path)

    def reread() -> ConnectionSettings:
        return load(fresh.config, fresh.environment()).connections["default"]

    async with open_sides(reread(), reread=reread) as sides:
        await log_in_anew(fresh, sides)
        kept = reread().netsuite.certificate_id
        await turn(fresh, "netsuite")
        id_ = await upload_to_netsuite(fresh, tmp_path / "netsuite-2.crt")
        await turn(fresh, "netsuite", id_)
        await fresh.netsuite.act("revoke_certificate", certificate_id=kept)
        await turn(fresh, "salesforce")
        await upload_to_salesforce(fresh, tmp_path / "salesforce-2.crt")
        await turn(fresh, "salesforce")
        for old in ("netsuite", "salesforce"):
            (tmp_path / f"{old}.pem").unlink()
        await log_in_anew(fresh, sides)
        fresh.config.write_text("[connections.default")  # somebody is in the middle of editing it
        await fresh.salesforce.act("revoke_tokens")
        assert await sides.salesforce.count(Entity.CONTACT) == 0


async def log_in_anew(p: Product, sides: Sides) -> None:
    """Both systems forget their tokens; the next calls have to log in."""
    for system in (p.netsuite, p.salesforce):
        await system.act("revoke_tokens")
    assert await sides.netsuite.count(Entity.CONTACT) == 0
    assert await sides.salesforce.count(Entity.CONTACT) == 0


async def test_a_key_that_stands_elsewhere_is_not_rotated_here(fresh: Product) -> None:
    with pytest.raises(CannotRotateError, match="private_key_file"):
        await turn(fresh, "netsuite")


async def test_what_is_printed_says_what_is_next(fresh: Product) -> None:
    answer = await fresh.command("install", "salesforce")
    assert answer.code == 1
    assert "→ 1 Address of the org" in answer.out
    assert "sf project deploy start --target-org twinbook --source-dir force-app" in answer.out
    assert answer.out.endswith("Next: Address of the org. Then run this again.\n")
