"""packages/salesforce agrees with the product: the names it installs, and the permissions it grants."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from twinbook.doctor.salesforce import BOTH_WAYS, ONE_WAY
from twinbook.domain.account_mapping import default_account_mapping
from twinbook.domain.mapping import default_mapping
from twinbook.engine.status import MESSAGE_LENGTH, STATUS
from twinbook.install.salesforce import OPTIONS
from twinbook.salesforce.config import SalesforceConfig
from twinbook.salesforce.events import TOPICS
from twinbook.settings.presets import ID_FIELDS, Preset
from twinbook.settings.systems import SalesforceSettings
from twinbook_sandbox.salesforce.objects import schemas_with
from twinbook_sandbox.salesforce.schema import Feature, FieldType

PACKAGE = Path(__file__).parents[2] / "packages" / "salesforce"
BASE = PACKAGE / "force-app" / "main" / "default"
NAMESPACE = "{http://soap.sforce.com/2006/04/metadata}"
OBJECTS = ("Contact", "Account")
CONFIG = SalesforceConfig()
OWN = {CONFIG.id_field, CONFIG.push_field, *CONFIG.status_fields}
# Parts of a name have no field-level security of their own, and parts of an address have that of the whole.
NAME_PARTS = {"Salutation", "FirstName", "MiddleName", "LastName", "Suffix", "Name"}
SANDBOX = schemas_with(frozenset({Feature.MIDDLE_NAME}), "Salutation FirstName LastName MiddleName Suffix")
SANDBOX_TYPES = {
    "Text": FieldType.STRING,
    "Picklist": FieldType.PICKLIST,
    "LongTextArea": FieldType.TEXTAREA,
    "DateTime": FieldType.DATETIME,
    "Checkbox": FieldType.BOOLEAN,
    "Url": FieldType.URL,
}


class Xml:
    """A metadata file, with its elements by name."""

    def __init__(self, path: Path) -> None:
        self.root = ElementTree.parse(path).getroot()  # noqa: S314 - our own file

    def text(self, name: str) -> str | None:
        return self.root.findtext(".//" + NAMESPACE + name)

    def texts(self, name: str) -> list[str]:
        return [element.text or "" for element in self.root.iter(NAMESPACE + name)]

    def rows(self, name: str) -> list[dict[str, str]]:
        return [
            {child.tag.removeprefix(NAMESPACE): child.text or "" for child in element}
            for element in self.root.iter(NAMESPACE + name)
        ]


def fields_of(sobject: str) -> dict[str, Xml]:
    found = (BASE / "objects" / sobject / "fields").glob("*.field-meta.xml")
    return {path.name.removesuffix(".field-meta.xml"): Xml(path) for path in found}


def permission_set(name: str) -> Xml:
    [path] = PACKAGE.glob(f"**/permissionsets/{name}.permissionset-meta.xml")
    return Xml(path)


def readable(name: str) -> set[str]:
    return {
        row["field"] for row in permission_set(name).rows("fieldPermissions") if row["readable"] == "true"
    }


def editable(name: str) -> set[str]:
    return {
        row["field"] for row in permission_set(name).rows("fieldPermissions") if row["editable"] == "true"
    }


def objects(name: str) -> dict[str, set[str]]:
    """What is allowed on each object."""
    return {
        row["object"]: {key for key, value in row.items() if value == "true"}
        for row in permission_set(name).rows("objectPermissions")
    }


def secured(sobject: str, names: frozenset[str]) -> set[str]:
    """The fields by which an administrator grants access to these."""
    found = set()
    for name in names:
        field = SANDBOX[sobject].field(name)
        assert field is not None, f"{sobject}.{name}"
        if field.name not in NAME_PARTS:
            found.add(f"{sobject}.{field.compound or field.name}")
    return found


MAPPED = secured("Contact", default_mapping().salesforce_fields) | secured(
    "Account", default_account_mapping().salesforce_fields
)
OWN_FIELDS = {f"{sobject}.{name}" for sobject in OBJECTS for name in OWN}
# What rows.py reads beside the mapped fields: whose account and parent it is.
TIES = {"Contact.AccountId", "Account.ParentId", "Opportunity.AccountId"}


@pytest.mark.parametrize("sobject", OBJECTS)
def test_the_package_installs_the_fields_that_the_product_reads_and_writes_and_no_others(
    sobject: str,
) -> None:
    assert set(fields_of(sobject)) == OWN


def test_the_names_are_those_of_the_settings() -> None:
    defaults = {name: info.default for name, info in SalesforceSettings.model_fields.items()}
    assert (defaults["id_field"], defaults["push_field"]) == (CONFIG.id_field, CONFIG.push_field)
    assert ID_FIELDS[Preset.TWINBOOK].salesforce == CONFIG.id_field


@pytest.mark.parametrize("sobject", OBJECTS)
def test_the_sandbox_has_the_same_fields(sobject: str) -> None:
    schema = SANDBOX[sobject]
    for name, xml in fields_of(sobject).items():
        there = schema.field(name)
        assert there is not None
        assert there.type is SANDBOX_TYPES[xml.text("type") or ""], name
        if xml.text("length"):
            assert there.length == int(xml.text("length") or 0), name
        marks = (there.unique, there.external_id, there.case_sensitive)
        assert marks == tuple(xml.text(m) == "true" for m in ("unique", "externalId", "caseSensitive")), name
        assert list(there.values) == [row["fullName"] for row in xml.rows("value")], name


@pytest.mark.parametrize("sobject", OBJECTS)
def test_every_status_and_message_fits(sobject: str) -> None:
    fields = fields_of(sobject)
    offered = {row["fullName"] for row in fields[CONFIG.status_field].rows("value")}
    assert offered == set(STATUS.values())
    assert int(fields[CONFIG.message_field].text("length") or 0) == MESSAGE_LENGTH


def test_no_field_is_put_on_a_layout_and_no_code_is_installed() -> None:
    kinds = {path.name.split(".")[-2] for path in PACKAGE.glob("**/main/default/**/*") if path.is_file()}
    assert kinds == {
        "field-meta",
        "listView-meta",
        "permissionset-meta",
        "platformEventChannelMember-meta",
        "quickAction-meta",
    }


def test_the_integration_user_may_read_what_is_read_and_edit_only_the_fields_of_the_package() -> None:
    assert readable("Twinbook_Integration") == OWN_FIELDS | MAPPED | TIES
    assert editable("Twinbook_Integration") == OWN_FIELDS
    assert objects("Twinbook_Integration") == {
        "Contact": {"allowRead", "allowEdit", "viewAllRecords"},
        "Account": {"allowRead", "allowEdit", "viewAllRecords"},
        "Opportunity": {"allowRead", "viewAllRecords"},
    }
    granted = permission_set("Twinbook_Integration").rows("userPermissions")
    assert granted == [{"enabled": "true", "name": "ApiEnabled"}]


def test_both_ways_adds_creating_contacts_and_editing_mapped_fields() -> None:
    assert editable("Twinbook_Integration_Both_Ways") == MAPPED | {"Contact.AccountId"}
    assert objects("Twinbook_Integration_Both_Ways")["Contact"] >= {"allowCreate"}


def test_people_see_the_panel_and_not_the_hidden_id() -> None:
    panel = {
        f"{sobject}.{name}" for sobject in OBJECTS for name in (*CONFIG.status_fields, CONFIG.push_field)
    }
    assert readable("Twinbook_Reader") == panel
    assert editable("Twinbook_Reader") == set()
    assert editable("Twinbook_Push") == {f"{sobject}.{CONFIG.push_field}" for sobject in OBJECTS}
    for name in ("Twinbook_Reader", "Twinbook_Push"):
        assert objects(name) == {}


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.glob("**/*.permissionset-meta.xml")), ids=lambda path: path.name
)
def test_no_set_lets_anybody_delete_or_modify_all(path: Path) -> None:
    for row in Xml(path).rows("objectPermissions"):
        assert (row["allowDelete"], row["modifyAllRecords"], row["viewAllFields"]) == ("false",) * 3


def test_every_topic_that_is_subscribed_has_its_channel_member() -> None:
    members = [Xml(path) for path in PACKAGE.glob("**/*.platformEventChannelMember-meta.xml")]
    assert {f"/data/{xml.text('selectedEntity')}" for xml in members} == set(TOPICS.values())
    assert {xml.text("eventChannel") for xml in members} == {"ChangeEvents"}


def test_what_every_org_gets_fits_into_the_five_entities_that_are_free() -> None:
    assert len(list(BASE.glob("**/*.platformEventChannelMember-meta.xml"))) == 3


@pytest.mark.parametrize("sobject", OBJECTS)
def test_the_quick_action_ticks_the_push_checkbox(sobject: str) -> None:
    xml = Xml(BASE / "quickActions" / f"{sobject}.Push_to_NetSuite.quickAction-meta.xml")
    assert xml.rows("fieldOverrides") == [{"field": CONFIG.push_field, "formula": "TRUE"}]
    assert (xml.text("type"), xml.text("targetObject")) == ("Update", sobject)


@pytest.mark.parametrize("sobject", OBJECTS)
def test_list_views_show_what_needs_a_look(sobject: str) -> None:
    views = [Xml(path) for path in (BASE / "objects" / sobject / "listViews").glob("*.xml")]
    filters = [row for view in views for row in view.rows("filters")]
    assert {row["field"] for row in filters} == {CONFIG.status_field}
    assert {row["value"] for row in filters} == {"Error", "Waiting", "Review"}
    own = {column for view in views for column in view.texts("columns") if column.endswith("__c")}
    assert own <= OWN


def salesforces_own_tools(*roots: Path) -> Any:
    if not (PACKAGE / "node_modules" / ".ready").exists():
        pytest.skip("the Node packages of packages/salesforce are not installed: make node")
    ran = subprocess.run(
        ["node", "check.mjs", *map(str, roots)],
        cwd=PACKAGE,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={**os.environ, "SF_DISABLE_TELEMETRY": "true"},
    )
    return json.loads(ran.stdout)


def test_salesforces_own_tools_find_nothing_wrong() -> None:
    found = salesforces_own_tools()
    assert found["problems"] == []
    files = list(PACKAGE.glob("**/main/default/**/*-meta.xml"))
    assert len(found["components"]) == len(files)


def test_the_check_would_find_mistakes(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE / "force-app", tmp_path / "force-app")
    wrong = {
        "objects/Contact/fields/NetSuite_Id__c.field-meta.xml": ("<externalId>true", "<externalId>perhaps"),
        "objects/Contact/listViews/NetSuite_Sync_Errors.listView-meta.xml": ("equals", "is"),
        "permissionsets/Twinbook_Reader.permissionset-meta.xml": ("<label>Twinbook Reader</label>", ""),
        "quickActions/Contact.Push_to_NetSuite.quickAction-meta.xml": ("emptySpace", "emtySpace"),
    }
    for name, (right, broken) in wrong.items():
        path = tmp_path / "force-app" / "main" / "default" / name
        path.write_text(path.read_text().replace(right, broken))
    problems = salesforces_own_tools(tmp_path / "force-app")["problems"]
    assert {problem.split("default/")[1].split(":")[0] for problem in problems} == set(wrong)


def test_the_documentation_names_every_permission() -> None:
    text = (PACKAGE.parents[1] / "docs" / "install-salesforce.md").read_text(encoding="utf-8")
    paths = list(PACKAGE.glob("**/*.permissionset-meta.xml"))
    labels = {Xml(path).text("label") for path in paths}
    granted = {row["field"].split(".")[1] for path in paths for row in Xml(path).rows("fieldPermissions")}
    granted |= {row["object"] for path in paths for row in Xml(path).rows("objectPermissions")}
    assert {word for word in labels | granted if word and word not in text} == set()


def test_the_installation_names_what_the_package_has() -> None:
    labels = {Xml(path).text("label") for path in PACKAGE.glob("**/*.permissionset-meta.xml")}
    assert {ONE_WAY, BOTH_WAYS} | {name for _, name in OPTIONS.values() if name} <= labels
    folders = {path.relative_to(PACKAGE).as_posix() for path in (PACKAGE / "options").iterdir()}
    assert {folder for folder, _ in OPTIONS.values()} == folders
    roots = json.loads((PACKAGE / "sfdx-project.json").read_text())["packageDirectories"]
    assert {root["path"] for root in roots} == folders | {"force-app"}
