"""Settings that were tried out in a sandbox are carried over to production; what says where and who, never."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from twinbook.cli.group import twinbook
from twinbook.settings import SettingsError, load, render_commented
from twinbook.settings.editing import SettingsFile
from twinbook.settings.model import ConnectionSettings
from twinbook.settings.options import tables
from twinbook.settings.promotion import ENVIRONMENT, differences, promote

FILE = """\
# Ours. Ask Ruth before you change it.
[store]
path = "twinbook.db"

[connections.sandbox.salesforce]
login_url = "https://acme--uat.sandbox.my.salesforce.com"
client_id = "3MVG9uat"
auth = "client-credentials"
client_secret = "uat"
role_sources = ["OpportunityContactRole"]

[connections.sandbox.netsuite]
account_id = "1234567_SB1"
client_id = "uat"
certificate_id = "uat"
private_key = "key"
poll_seconds = 20

[connections.sandbox.contacts]
direction = "both"  # since May
role_filter = ["Decision Maker", "Influencer"]

[[connections.sandbox.contacts.rules]]
name = "no-partners"
expression = 'contact.LeadSource != "Partner"'

[[connections.sandbox.contacts.mapping]]
salesforce = "Department"
netsuite = "custentity_department"

[connections.sandbox.accounts]
subsidiary_id = "3"

[connections.production.salesforce]
login_url = "https://acme.my.salesforce.com"  # the real one
client_id = "3MVG9prod"
auth = "client-credentials"
client_secret = "prod"

[connections.production.netsuite]
account_id = "1234567"
client_id = "prod"
certificate_id = "prod"
private_key = "key"

[connections.production.contacts]
# Marketing asked for this.
shared_email = "create"
role_filter = ["Decision Maker"]

[connections.production.limits]
batch_size = 100
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "twinbook.toml"
    file.write_text(FILE)
    file.chmod(0o600)
    return file


def test_the_difference_is_what_promotion_changes(path: Path) -> None:
    file = SettingsFile.open(path)
    found = {
        ".".join(item.place): (item.source, item.target)
        for item in differences(file, "sandbox", "production")
    }
    assert found == {
        "salesforce.role_sources": (["OpportunityContactRole"], None),
        "netsuite.poll_seconds": (20, None),
        "contacts.direction": ("both", None),
        "contacts.role_filter": (["Decision Maker", "Influencer"], ["Decision Maker"]),
        "contacts.shared_email": (None, "create"),
        "contacts.rules": ([{"name": "no-partners", "expression": 'contact.LeadSource != "Partner"'}], None),
        "contacts.mapping": ([{"salesforce": "Department", "netsuite": "custentity_department"}], None),
        "accounts.subsidiary_id": ("3", None),
        "limits.batch_size": (None, 100),
    }
    promote(file, "sandbox", "production")
    assert differences(file, "sandbox", "production") == []


def test_the_environment_and_all_comments_stay(path: Path) -> None:
    file = SettingsFile.open(path)
    before = file.settings({}).connections
    promote(file, "sandbox", "production")
    file.save()
    after = load(path, {}).connections
    assert after["sandbox"] == before["sandbox"]
    for system in ("salesforce", "netsuite"):
        own = {name for table, name in ENVIRONMENT if table == system}
        was, is_ = (getattr(each["production"], system).model_dump(include=own) for each in (before, after))
        assert was == is_
    assert after["production"].contacts == before["sandbox"].contacts
    assert (after["production"].limits, after["production"].accounts.subsidiary_id) == (
        before["sandbox"].limits,
        "3",
    )
    text = path.read_text()
    for comment in ("# Ours. Ask Ruth", "# the real one", "# Marketing asked for this.", "# since May"):
        assert comment in text


def test_every_secret_and_every_key_of_a_login_is_left_alone() -> None:
    options = {
        (*table.path, option.name): option for table in tables(ConnectionSettings) for option in table.options
    }
    assert set(options) >= ENVIRONMENT, "a key that is no setting"
    assert {place for place, option in options.items() if option.secret} <= ENVIRONMENT
    assert {place for place in options if place[-1].endswith(("_url", "_file", "_id"))} - ENVIRONMENT == {
        ("accounts", "subsidiary_id"),
        ("accounts", "customer_status_id"),
        ("accounts", "subsidiary_rules", "subsidiary_id"),
    }


def test_a_value_equal_to_the_default_is_no_difference(path: Path) -> None:
    path.write_text(FILE.replace('direction = "both"', 'direction = "salesforce-to-netsuite"'))
    found = differences(SettingsFile.open(path), "sandbox", "production")
    assert "direction" not in {item.place[-1] for item in found}


class Run:
    """The command line in this process."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, *arguments: str) -> tuple[int, str]:
        ran = CliRunner().invoke(twinbook, ["--config", str(self.path), "settings", *arguments])
        return ran.exit_code, ran.output


def test_nothing_is_written_without_yes(path: Path) -> None:
    run = Run(path)
    code, shown = run("promote", "--from", "sandbox", "--to", "production")
    assert (code, path.read_text()) == (1, FILE)
    assert 'production.contacts.direction\n  - (default)\n  + "both"' in shown
    assert 'production.accounts.subsidiary_id\n  - (default)\n  + "3"\n    names NetSuite records' in shown
    assert run("diff", "sandbox", "production")[0] == 1
    code, shown = run("promote", "--from", "sandbox", "--to", "production", "--yes")
    assert (code, "doctor" in shown) == (0, True)
    assert run("diff", "sandbox", "production") == (0, "No difference.\n")
    assert run("promote", "--from", "sandbox", "--to", "production") == (0, "No difference.\n")
    assert oct(path.stat().st_mode & 0o777) == "0o600"


def test_no_secret_is_shown(path: Path) -> None:
    text = FILE.replace('client_secret = "uat"', 'client_secret = "hush-uat"').replace(
        '"prod"', '"hush-prod"'
    )
    path.write_text(text)
    for arguments in (("diff", "sandbox", "production"), ("diff", "sandbox", "production", "--json")):
        assert "hush" not in Run(path)(*arguments)[1]


def test_an_unknown_connection_is_named(path: Path) -> None:
    code, shown = Run(path)("diff", "sandbox", "prodution")
    assert code == 2
    assert "There are: sandbox, production" in shown


def test_what_the_target_cannot_have_is_refused_before_anything_is_written(path: Path) -> None:
    file = SettingsFile.open(path)
    promote(file, "sandbox", "production")
    with pytest.raises(SettingsError, match="TEST_MODE_FIELD"):
        file.settings({"TWINBOOK_CONNECTIONS__PRODUCTION__CONTACTS__TEST_MODE_FIELD": ""})
    assert path.read_text() == FILE


class TestEditing:
    """`SettingsFile` on files as `twinbook init` writes them."""

    @pytest.fixture
    def file(self, tmp_path: Path) -> SettingsFile:
        return SettingsFile(tmp_path / "twinbook.toml", render_commented({}))

    @pytest.mark.parametrize(
        ("place", "value"),
        [
            (("connections", "default", "salesforce", "client_id"), '3MVG9 "quoted" \\ back'),
            (("connections", "default", "netsuite", "concurrency"), 5),
            (("connections", "default", "contacts", "role_filter"), ["A", "B"]),
            (("connections", "default", "contacts", "role_map"), {"Influencer": "3"}),
            (("connections", "other", "salesforce", "client_id"), "3MVG9"),
        ],
    )
    def test_a_key_is_set_changed_and_removed(
        self, file: SettingsFile, place: tuple[str, ...], value: Any
    ) -> None:
        before = file.text
        file.put(place, value)
        assert file.get(place) == value
        file.put(place, value)
        assert SettingsFile(file.path, file.text).get(place) == value
        file.remove(place)
        assert file.get(place) is None
        comments = [line for line in before.splitlines() if line.startswith("# ")]
        assert [line for line in file.text.splitlines() if line.startswith("# ")] == comments

    def test_a_commented_key_is_set_where_it_stands(self, file: SettingsFile) -> None:
        lines = file.text.splitlines()
        [at] = [number for number, line in enumerate(lines) if line.startswith("#certificate_id = ")]
        file.put(("connections", "default", "netsuite", "certificate_id"), "kid")
        changed = file.text.splitlines()
        assert changed[at] == 'certificate_id = "kid"'
        assert changed[:at] + changed[at + 1 :] == lines[:at] + lines[at + 1 :]
