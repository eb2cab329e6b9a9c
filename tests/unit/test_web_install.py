"""The set-up as pages and as API: steps, values, keys, checks. Nothing secret leaves the machine."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from tests.dashboard.rig import Rig

from twinbook import certificates
from twinbook.doctor import Check, Page, Verdict
from twinbook.install import System
from twinbook.settings import ConnectionSettings, load
from twinbook.store import audit, revisions
from twinbook.store.database import Database
from twinbook.web.dashboard import INSTALLATION
from twinbook.web.examinations import Examinations
from twinbook.web.findings import Stage

CHECKS = (
    Check(Page.SALESFORCE_LOGIN, "salesforce.login", "Salesforce login", Verdict.OK),
    Check(
        Page.SALESFORCE_PACKAGE,
        "salesforce.id-field.Contact",
        "Salesforce: id field on Contact",
        Verdict.BROKEN,
        "not there or hidden: NetSuite_Id__c",
        "Deploy the package, then Setup > Permission Sets.",
    ),
)


async def found(_settings: ConnectionSettings, _system: System) -> AsyncGenerator[Check]:
    for check in CHECKS:
        yield check


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig.over(Database.open_memory(), tmp_path, examine=found)


@pytest.fixture
def begun(rig: Rig, tmp_path: Path) -> Rig:
    """Nothing is entered yet."""
    (tmp_path / "twinbook.toml").write_text("[connections.default.salesforce]\n")
    return rig


def test_steps_are_done_one_by_one(begun: Rig, tmp_path: Path) -> None:
    browser = begun.client()
    assert "next: Address of the org" in browser.get("/install").text
    assert browser.post("/install/salesforce/check").status_code == 409, "nothing can be checked yet"
    assert browser.post("/install/salesforce/key").status_code == 303
    key, certificate = (tmp_path / name for name in ("salesforce.pem", "salesforce.crt"))
    assert (key.stat().st_mode & 0o077, certificates.read(certificate).belongs_to(key.read_text())) == (
        0,
        True,
    )
    for name, value in (
        ("login_url", "https://acme.my.salesforce.com"),
        ("username", "twinbook@acme.example"),
        ("client_id", "3MVG9"),
    ):
        assert browser.post("/install/salesforce", data={name: f" {value} "}).status_code == 303
    assert 'username = "twinbook@acme.example"' in (tmp_path / "twinbook.toml").read_text()
    assert browser.post("/install/salesforce/check").status_code == 303
    page = browser.get("/install/salesforce").text
    assert "not there or hidden: NetSuite_Id__c" in page
    assert "Setup &gt; Permission Sets" in page
    whats = [act.what for act in begun.database.read_now(INSTALLATION, lambda tx: audit.latest(tx, limit=9))]
    assert whats[:4] == ["install.entered"] * 3 + ["install.key_made"]


def test_a_certificate_is_downloaded_and_never_a_key(begun: Rig, tmp_path: Path) -> None:
    browser = begun.client()
    assert browser.get("/install/netsuite/certificate").status_code == 404
    browser.post("/install/netsuite/key")
    key, certificate = ((tmp_path / f"netsuite.{end}").read_text() for end in ("pem", "crt"))
    # Some people keep both in one file.
    (tmp_path / "netsuite.crt").write_text(f"{certificate}\n{key}")
    answer = browser.get("/install/netsuite/certificate")
    assert answer.headers["content-disposition"] == 'attachment; filename="netsuite.crt"'
    assert answer.text == certificate
    for path in ("/install/netsuite", "/install", "/api/v1/install/netsuite", "/audit"):
        assert "PRIVATE KEY" not in browser.get(path).text


@pytest.mark.parametrize("system", System)
def test_the_package_is_downloaded_as_it_is_deployed(rig: Rig, system: System) -> None:
    answer = rig.client().get(f"/install/{system}/package")
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    wanted = {System.SALESFORCE: "sfdx-project.json", System.NETSUITE: "src/manifest.xml"}[system]
    assert f"twinbook-{system}/{wanted}" in names
    assert not any("node_modules" in name or "package-lock" in name for name in names)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"login_url": "http://acme.my.salesforce.com"}, "Write https://"),
        ({"login_url": " "}, "Enter a value."),
        ({"private_key_file": "/etc/passwd"}, "nothing to enter here"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name_and_nothing_is_written(
    rig: Rig, tmp_path: Path, values: dict[str, str], said: str
) -> None:
    before = (tmp_path / "twinbook.toml").read_text()
    answer = rig.client().post("/install/salesforce", data=values)
    assert (answer.status_code, said in answer.text) == (422, True)
    [fault] = rig.client().post("/api/v1/install/salesforce", json={"values": values}).json()["errors"]
    assert (fault["field"], said in fault["message"]) == (next(iter(values)), True)
    assert (tmp_path / "twinbook.toml").read_text() == before


def test_the_secret_of_pings_is_shown_once(rig: Rig, tmp_path: Path) -> None:
    browser = rig.client()
    browser.post("/install/netsuite/ping")
    secret = load(tmp_path / "twinbook.toml", {}).connections["default"].ping.secret
    assert secret is not None
    assert secret.get_secret_value() in browser.get("/install/netsuite").text
    assert secret.get_secret_value() not in browser.get("/install/netsuite").text
    assert browser.post("/install/netsuite/ping").status_code == 409


def test_a_change_of_the_login_is_a_version_without_its_values(rig: Rig) -> None:
    rig.client().post("/install/netsuite", data={"client_id": "another-client"})
    [version] = rig.database.read_now("default", lambda tx: revisions.latest(tx, limit=9))
    assert "another-client" not in str(version.snapshot)


def test_programs_set_up_too(begun: Rig) -> None:
    api = begun.client()
    assert api.get("/api/v1/install/salesforce").json()["next"] == "org"
    api.post("/api/v1/install/salesforce/key")
    values = {
        "login_url": "https://acme.my.salesforce.com",
        "username": "t@acme.example",
        "client_id": "3MVG9",
    }
    entered = api.post("/api/v1/install/salesforce", json={"values": values}).json()
    assert (entered["next"], entered["values"], entered["examination"]) == ("package", values, None)
    checked = api.post("/api/v1/install/salesforce/check").json()
    assert (checked["stage"], [check["verdict"] for check in checked["checks"]]) == (
        "done",
        ["ok", "broken"],
    )
    steps = api.get("/api/v1/install/salesforce").json()["steps"]
    states = {step["code"]: step["state"] for step in steps}
    assert states == {
        "org": "done",
        "key": "done",
        "package": "broken",
        "user": "done",
        "app": "done",
        "events": "to-do",
    }


async def test_a_system_that_does_not_answer_holds_nobody_up(rig: Rig) -> None:
    async def silent(_settings: ConnectionSettings, _system: System) -> AsyncGenerator[Check]:
        yield CHECKS[0]
        await asyncio.Event().wait()

    examinations = Examinations(silent, rig.dashboard.now, seconds=0.05)
    settings = rig.dashboard.settings.connections["default"]
    examination = examinations.begin("default", System.SALESFORCE, settings)
    assert examinations.begin("default", System.SALESFORCE, settings) is examination, "one at a time"
    await examinations.settled("default", System.SALESFORCE, 5)
    assert (examination.stage, examination.checks) == (Stage.BOUNDED, [CHECKS[0]])
