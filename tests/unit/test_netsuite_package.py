"""The package for NetSuite: its names are those that the product uses, its role is the one the guide gives, and its
scripts pass their tests in Node with Oracle's stubs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from twinbook.netsuite.restlet import RELEASE, VERSION, RestletScript
from twinbook.packaged import folder
from twinbook.settings.systems import NetSuiteSettings
from twinbook_sandbox.netsuite.schema import DEFAULT_CUSTOM_FIELDS
from twinbook_sandbox.netsuite.suitescript.project import ProjectError, read_project

PACKAGE = folder("netsuite")
ROOT = Path(__file__).parents[2]
PROJECT = read_project(PACKAGE)
SCRIPTS = PACKAGE / "src" / "FileCabinet" / "SuiteScripts" / "twinbook"


def default(name: str) -> object:
    return NetSuiteSettings.model_fields[name].default


def test_the_fields_are_those_of_the_settings_and_of_the_sandbox() -> None:
    fields = {field.script_id: field for field in PROJECT.fields}
    assert {default("id_field"), default("link_field")} <= fields.keys()
    for known in DEFAULT_CUSTOM_FIELDS:
        field = fields[known.script_id]
        assert (field.kind, field.applies_to) == (known.kind, known.applies_to)


def test_the_fields_stand_on_the_custom_subtab_and_people_cannot_change_the_ids() -> None:
    for path in (PACKAGE / "src" / "Objects").glob("custentity_*.xml"):
        field = ElementTree.parse(path).getroot()  # noqa: S314 - our own file
        assert field.find("subtab") is None, "where no subtab is named, the field stands on Custom"
        locked = path.stem != "custentity_twinbook_locked"
        assert field.findtext("displaytype") == ("LOCKED" if locked else "NORMAL")


def test_the_restlet_is_the_one_of_the_settings_and_open_to_the_role_only() -> None:
    (restlet,) = [one for one in PROJECT.deployments if one.kind == "restlet"]
    script = RestletScript()
    assert (restlet.script_id, restlet.id) == (script.script, script.deployment)
    assert (default("restlet_script"), default("restlet_deployment")) == (script.script, script.deployment)
    deployed = (PACKAGE / "src" / "Objects" / f"{script.script}.xml").read_text()
    assert "<allroles>F</allroles>" in deployed
    assert "<audslctrole>[customrole_twinbook]</audslctrole>" in deployed


def test_the_contract_has_one_version_and_its_limits_hold_what_the_product_asks_for() -> None:
    contract = (SCRIPTS / "lib" / "contract.js").read_text()
    assert int(re.findall(r"VERSION = (\d+);", contract)[0]) == VERSION
    assert re.findall(r"SCRIPT = '([^']+)'", contract) == [RELEASE]
    most = int(re.findall(r"MAX_WRITES = (\d+);", contract)[0])
    allowed = NetSuiteSettings.model_json_schema()["properties"]["restlet_batch"]["maximum"]
    assert allowed == most


def test_the_role_holds_what_the_guide_says_and_nothing_that_administers() -> None:
    (role,) = PROJECT.roles.values()
    guide = (ROOT / "docs" / "install-netsuite.md").read_text()
    for key, level in role.items():
        assert re.search(rf"^\| {key} \|[^|]*\| {level.capitalize()}\b", guide, re.MULTILINE), key
    full = {key for key, level in role.items() if level == "FULL"}
    assert full == {"ADMI_LOGIN_OAUTH2", "ADMI_RESTWEBSERVICES"}, "full access to no record"


def test_the_notifier_knows_the_role_and_listens_to_contacts_and_customers() -> None:
    assert "'customrole_twinbook'" in (SCRIPTS / "change_notifier.js").read_text()
    notifiers = [one for one in PROJECT.deployments if one.kind == "usereventscript"]
    assert {one.record_type for one in notifiers} == {"contact", "customer"}
    assert all(one.parameters["custscript_twinbook_url"] == "" for one in notifiers), "silent until set up"


def test_the_option_is_a_part_of_the_same_project(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE / "src", tmp_path / "src")
    for path in (PACKAGE / "options" / "event-subscriber").glob("*.xml"):
        shutil.copy(path, tmp_path / "src" / "Objects")
    subscribed = [one for one in read_project(tmp_path).deployments if one.kind == "eventsubscriber"]
    assert {one.record_type for one in subscribed} == {"contact", "customer"}
    assert all(len(one.script_id) <= 27 for one in subscribed)


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("Objects/customscript_twinbook_batch.xml", "batch_restlet.js", "lost.js", "which the project lacks"),
        (
            "Objects/customscript_twinbook_batch.xml",
            "[customrole_twinbook]",
            "[customrole_x]",
            "the project lacks",
        ),
        ("Objects/customrole_twinbook.xml", "EDIT", "SOME", "unknown level"),
        (
            "Objects/custentity_twinbook_link.xml",
            'scriptid="custentity',
            'scriptid="custbody',
            "must begin with",
        ),
        ("manifest.xml", "ACCOUNTCUSTOMIZATION", "SUITEAPP", "projecttype"),
        ("deploy.xml", "~/Objects/*", "~/Nothing/*", "nothing is at"),
        ("deploy.xml", "</deploy>", "", "deploy.xml"),
    ],
)
def test_the_sandbox_refuses_a_project_that_cannot_be_deployed(
    tmp_path: Path, file: str, old: str, new: str, problem: str
) -> None:
    shutil.copytree(PACKAGE / "src", tmp_path / "src")
    path = tmp_path / "src" / file
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ProjectError, match=re.escape(problem)):
        read_project(tmp_path)


def test_the_scripts_pass_their_tests_with_oracle_s_stubs() -> None:
    if shutil.which("node") is None or not (PACKAGE / "node_modules" / ".ready").exists():
        pytest.skip("the Node packages of packages/netsuite are not installed: make node")
    ran = subprocess.run(
        ["node", "node_modules/jest/bin/jest.js", "--ci", "--maxWorkers=1"],
        cwd=PACKAGE,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert ran.returncode == 0, ran.stderr
    assert int(re.findall(r"Tests:\s+(\d+) passed", ran.stderr)[0]) > 30
