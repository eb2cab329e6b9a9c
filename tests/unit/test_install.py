"""What the installation reads off a settings file that is not complete."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from twinbook import certificates
from twinbook.install import Draft, State, System, guide_of
from twinbook.install.keys import ensure_key, next_key_file
from twinbook.install.rotation import CannotRotateError, rotate
from twinbook.install.salesforce import needed
from twinbook.install.steps import Step
from twinbook.settings import SettingsError

KEY = Step("key", "Key", State.DONE)
NOW = datetime(2026, 11, 25, tzinfo=UTC)
ORG = {"login_url": "https://acme.my.salesforce.com", "client_id": "3MVG9", "username": "t@acme.example"}


@pytest.fixture
def draft(tmp_path: Path) -> Draft:
    return Draft.open(tmp_path / "twinbook.toml", None, {})


def test_a_new_file_begins_with_every_setting_as_a_comment(draft: Draft) -> None:
    assert draft.connection == "default"
    assert draft.settings(System.SALESFORCE) is None
    draft.enter(System.SALESFORCE, {"login_url": ORG["login_url"]})
    assert f'\nlogin_url = "{ORG["login_url"]}"\n' in draft.file.text
    assert not draft.file.path.exists(), "nothing is written before it is saved"


def test_one_system_can_be_complete_without_the_other(draft: Draft) -> None:
    draft.enter(System.SALESFORCE, ORG | {"auth": "client-credentials", "client_secret": "x"})
    settings = draft.settings(System.SALESFORCE)
    assert settings is not None
    assert settings.salesforce.login_url == ORG["login_url"]
    assert draft.settings(System.NETSUITE) is None


def test_what_is_missing_yet_is_no_problem_but_a_wrong_value_is(draft: Draft) -> None:
    with pytest.raises(SettingsError) as caught:
        draft.enter(System.NETSUITE, {"account_id": "no account", "client_id": "x"})
    assert [problem.key for problem in caught.value.problems] == ["connections.default.netsuite.account_id"]


def test_values_of_the_environment_count(tmp_path: Path) -> None:
    environ = {"TWINBOOK_CONNECTIONS__DEFAULT__SALESFORCE__USERNAME": "t@acme.example"}
    assert (
        Draft.open(tmp_path / "t.toml", None, environ).get(System.SALESFORCE, "username") == "t@acme.example"
    )


def test_of_several_connections_one_must_be_named(tmp_path: Path) -> None:
    path = tmp_path / "twinbook.toml"
    path.write_text("[connections.a.salesforce]\n[connections.b.salesforce]\n")
    with pytest.raises(ValueError, match="a, b"):
        Draft.open(path, None, {})
    draft = Draft.open(path, "b", {})
    draft.enter(System.SALESFORCE, {"client_id": "3MVG9"})
    assert draft.file.get(("connections", "a", "salesforce")) == {}


def test_settings_that_are_refused_for_another_reason_say_so(draft: Draft) -> None:
    draft.enter(System.SALESFORCE, ORG | {"auth": "client-credentials", "client_secret": "x"})
    draft.file.put(("connections", "default", "contacts", "direction"), "sideways")
    guide = guide_of(draft, System.SALESFORCE, KEY, [])
    [step] = [step for step in guide.steps if step.code == "settings"]
    assert (step.state, guide.next) == (State.BROKEN, guide.steps[2])
    assert "contacts.direction" in step.instructions[0]


def test_what_to_deploy_follows_the_settings(draft: Draft) -> None:
    draft.enter(System.SALESFORCE, ORG | {"auth": "client-credentials", "client_secret": "x"})
    assert needed(draft.settings(System.SALESFORCE)) == (["force-app"], ["Twinbook Integration"])
    contacts = ("connections", "default", "contacts")
    draft.file.put((*contacts, "direction"), "both")
    draft.file.put((*contacts, "role_filter"), ["Buyer"])
    draft.file.put(("connections", "default", "accounts", "triggers"), ["quote"])
    folders, sets = needed(draft.settings(System.SALESFORCE))
    assert folders == [
        "force-app",
        "options/opportunity-roles",
        "options/account-relations",
        "options/quotes",
    ]
    assert sets == [
        "Twinbook Integration",
        "Twinbook Integration: both ways",
        "Twinbook Integration: account relations",
        "Twinbook Integration: quotes",
    ]


def test_a_key_that_is_there_is_used_and_gets_a_certificate(draft: Draft) -> None:
    ensure_key(draft, System.NETSUITE, now=NOW, replace=False)
    key, certificate = (draft.directory / f"netsuite.{end}" for end in ("pem", "crt"))
    before = key.read_bytes()
    certificate.unlink()
    assert ensure_key(draft, System.NETSUITE, now=NOW, replace=False).state is State.DONE
    assert key.read_bytes() == before
    assert certificate.exists()
    ensure_key(draft, System.NETSUITE, now=NOW, replace=True)
    assert key.read_bytes() != before


async def test_a_key_that_the_environment_names_is_not_rotated_in_the_file(tmp_path: Path) -> None:
    key = tmp_path / "mine.pem"
    certificates.make(key, now=NOW)
    variable = "TWINBOOK_CONNECTIONS__DEFAULT__SALESFORCE__PRIVATE_KEY_FILE"
    draft = Draft.open(tmp_path / "twinbook.toml", None, {variable: str(key)})
    draft.enter(System.SALESFORCE, ORG)
    with pytest.raises(CannotRotateError, match=variable):
        await rotate(draft, System.SALESFORCE, certificate_id=None, now=NOW)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.crt", "mine.pem"]


def test_the_next_key_has_the_next_number() -> None:
    names = ["salesforce.pem"]
    for _ in range(2):
        names.append(next_key_file(Path(names[-1])).name)
    assert names == ["salesforce.pem", "salesforce-2.pem", "salesforce-3.pem"]
    assert next_key_file(Path("sandbox-netsuite.pem")).name == "sandbox-netsuite-2.pem"
