"""The settings file: what is accepted, what is refused, and how clearly."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from twinbook.settings import Settings, SettingsError, load

SECRET = "hush-hush"

VALID = """
[connections.default.salesforce]
login_url = "https://acme.my.salesforce.com"
client_id = "3MVG9"
username = "integration@acme.example"
private_key_file = "salesforce.pem"

[connections.default.netsuite]
account_id = "1234567_SB1"
client_id = "netsuite-client"
certificate_id = "cert-1"
private_key_file = "netsuite.pem"
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    for name in ("salesforce.pem", "netsuite.pem"):
        (tmp_path / name).write_text(SECRET)
    return tmp_path


def read(directory: Path, text: str, environ: Mapping[str, str] | None = None) -> Settings:
    path = directory / "twinbook.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, environ or {})


def problems(directory: Path, text: str, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Refusals by key, as text of problem and remedy."""
    with pytest.raises(SettingsError) as caught:
        read(directory, text, environ)
    return {item.key or item.source: f"{item.problem}. {item.remedy}" for item in caught.value.problems}


def test_a_short_file_is_enough(directory: Path) -> None:
    connection = read(directory, VALID).connections["default"]
    assert connection.salesforce.private_key_file == directory / "salesforce.pem"
    assert connection.salesforce.read_private_key() == SECRET
    assert connection.netsuite.account_id == "1234567_SB1"


def test_a_byte_order_mark_is_no_problem(directory: Path) -> None:
    assert read(directory, f"\ufeff{VALID}").connections["default"].netsuite.account_id == "1234567_SB1"


def test_paths_are_relative_to_the_file_even_those_of_defaults(directory: Path) -> None:
    assert read(directory, VALID).store.path == directory / "twinbook.db"
    assert (
        read(directory, '[store]\npath = "data/links.db"\n' + VALID).store.path == directory / "data/links.db"
    )


def test_the_store_may_be_a_database_whose_password_is_never_told(directory: Path) -> None:
    url = "postgresql://twinbook:s3cret@db.example/twinbook"
    settings = read(directory, f'[store]\nurl = "{url}"\n' + VALID)
    assert settings.store.url is not None
    assert settings.store.url.get_secret_value() == url
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("store", "said"),
    [
        ('url = "mysql://u:s3cret@h/d"', "store.url: is not the URL of a PostgreSQL database"),
        ('url = "postgresql://u:s3cret@h"', "store.url: is not the URL of a PostgreSQL database"),
        ('url = "postgresql://u:s3cret@h:x/d"', "store.url: is not the URL of a PostgreSQL database"),
        (
            'path = "a.db"\nurl = "postgresql://u:s3cret@h/d"',
            "store: names both a file (path) and a database",
        ),
    ],
)
def test_a_store_that_cannot_be_is_refused(directory: Path, store: str, said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read(directory, f"[store]\n{store}\n" + VALID)
    assert said in str(refused.value)
    assert "s3cret" not in str(refused.value)


def test_all_problems_are_reported_at_once_with_key_and_remedy(directory: Path) -> None:
    text = """
[log]
level = "loud"
[connections.default.salesforce]
login_url = "acme"
client_id = ""
private_key_file = "nowhere.pem"
poll_seconds = 0
[connections.default.netsuite]
account_id = "1234567"
auth = "tba"
tba_consumer_key = "a"
tba_token_id = "b"
[connections.default.contacts]
shared_email = "ask"
"""
    found = problems(directory, text)
    salesforce, netsuite = "connections.default.salesforce", "connections.default.netsuite"
    assert set(found) == {
        "log.level",
        f"{salesforce}.login_url",
        f"{salesforce}.client_id",
        f"{salesforce}.username",
        f"{salesforce}.private_key_file",
        f"{salesforce}.poll_seconds",
        f"{netsuite}.tba_consumer_secret",
        f"{netsuite}.tba_token_secret",
        "connections.default.contacts.shared_email",
    }
    assert '"review" or "create"' in found["connections.default.contacts.shared_email"]
    assert "https://host" in found[f"{salesforce}.login_url"]
    assert 'auth = "tba" needs it' in found[f"{netsuite}.tba_token_secret"]


def test_the_message_names_the_file_and_ends_each_problem_on_a_line(directory: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read(directory, '[log]\nlevel = "loud"\nfromat = "json"\n' + VALID)
    assert str(caught.value).splitlines() == [
        "twinbook.toml: log.level: 'loud' is not one of its values. "
        'Use "debug", "info", "warning" or "error".',
        "twinbook.toml: log.fromat: is not a setting. Did you mean format?",
    ]


@pytest.mark.parametrize(
    ("text", "key", "hint"),
    [
        ('client_secert = "x"', "client_secert", "Did you mean client_secret?"),
        ("concurrency = 5", "concurrency", "put it into [connections.<name>.netsuite]?"),
        ("xyzzy = 5", "xyzzy", "known here: login_url"),
    ],
)
def test_an_unknown_key_is_refused_with_what_was_probably_meant(
    directory: Path, text: str, key: str, hint: str
) -> None:
    marker = "[connections.default.salesforce]\n"
    found = problems(directory, VALID.replace(marker, f"{marker}{text}\n"))
    assert hint.lower() in found[f"connections.default.salesforce.{key}"].lower()


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://acme.my.salesforce.com", "unencrypted"),
        ("https://acme.my.salesforce.com/services/oauth2", "more than a host"),
        ("https://user:word@acme.my.salesforce.com", "more than a host"),
        ("ftp://acme", "not a web address"),
    ],
)
def test_addresses_that_would_not_work_or_not_be_safe_are_refused(
    directory: Path, url: str, problem: str
) -> None:
    found = problems(directory, VALID.replace("https://acme.my.salesforce.com", url))
    assert problem in found["connections.default.salesforce.login_url"]


def test_plain_http_is_accepted_for_this_machine_and_slashes_are_dropped(directory: Path) -> None:
    settings = read(directory, VALID.replace("https://acme.my.salesforce.com", "http://127.0.0.1:8123/"))
    assert settings.connections["default"].salesforce.login_url == "http://127.0.0.1:8123"


def test_client_credentials_need_a_secret_and_the_my_domain_address(directory: Path) -> None:
    text = VALID.replace("https://acme.my.salesforce.com", "https://login.salesforce.com")
    text = text.replace('username = "integration@acme.example"', 'auth = "client-credentials"')
    found = problems(directory, text)
    assert "My Domain" in found["connections.default.salesforce.auth"]
    assert (
        "needs it"
        in problems(directory, text.replace("login.sales", "acme.my.sales"))[
            "connections.default.salesforce.client_secret"
        ]
    )


@pytest.mark.parametrize(
    ("keys", "problem"),
    [("", "no private key"), ('private_key_file = "netsuite.pem"\nprivate_key = "pem"', "two private keys")],
)
def test_a_login_by_certificate_needs_exactly_one_key(directory: Path, keys: str, problem: str) -> None:
    found = problems(directory, VALID.replace('private_key_file = "netsuite.pem"', keys))
    assert problem in found["connections.default.netsuite.private_key"]


@pytest.mark.parametrize(
    ("login_url", "audience"),
    [
        ("https://acme.my.salesforce.com", "https://login.salesforce.com"),
        ("https://acme-dev-ed.develop.my.salesforce.com", "https://login.salesforce.com"),
        ("https://acme--uat.sandbox.my.salesforce.com", "https://test.salesforce.com"),
        ("https://test.salesforce.com", "https://test.salesforce.com"),
    ],
)
def test_the_audience_follows_the_kind_of_org(directory: Path, login_url: str, audience: str) -> None:
    settings = read(directory, VALID.replace("https://acme.my.salesforce.com", login_url))
    assert settings.connections["default"].salesforce.jwt_audience == audience


def test_a_preset_names_the_id_fields_of_both_sides(directory: Path) -> None:
    connection = read(directory, '[connections.default]\npreset = "celigo-io"\n' + VALID).connections[
        "default"
    ]
    assert connection.salesforce.id_field == "celigo_sfnsio__NetSuite_Id__c"
    assert connection.netsuite.id_field == "custentity_celigo_sfio_sf_id"


def test_an_id_field_that_is_given_beats_the_preset(directory: Path) -> None:
    text = '[connections.default]\npreset = "celigo-v1"\n' + VALID + 'id_field = "custentity_own"\n'
    connection = read(directory, text).connections["default"]
    assert connection.salesforce.id_field == "netsuite_conn__NetSuite_Id__c"
    assert connection.netsuite.id_field == "custentity_own"


@pytest.mark.parametrize("name", ["Main", "two words", "a__b", "_x"])
def test_connection_names_can_be_part_of_a_variable_name(directory: Path, name: str) -> None:
    text = VALID.replace("connections.default.", f'connections."{name}".')
    assert any("right form" in said for said in problems(directory, text).values())


def test_there_must_be_a_connection(directory: Path) -> None:
    assert "is missing" in problems(directory, "")["connections"]
    assert "is empty" in problems(directory, "[connections]")["connections"]


def test_rules_are_compiled_and_named_once(directory: Path) -> None:
    rule = '[[connections.default.contacts.rules]]\nname = "{}"\nexpression = "{}"\n'
    good = rule.format("in europe", "contact.MailingCountry in ['DE', 'FR']")
    assert read(directory, VALID + good).connections["default"].contacts.rules[0].name == "in europe"
    bad = problems(directory, VALID + rule.format("broken", "contact.Email =="))
    assert "correct the expression" in bad["connections.default.contacts.rules[0].expression"]
    assert "two rules" in problems(directory, VALID + good + good)["connections.default.contacts.rules"]


@pytest.mark.parametrize(
    "text",
    [
        'triggers = ["rule"]',
        '[[connections.default.accounts.rules]]\nname = "big"\nexpression = "account.Type == \'Customer\'"',
    ],
)
def test_rules_and_their_trigger_go_together(directory: Path, text: str) -> None:
    found = problems(directory, f"{VALID}[connections.default.accounts]\n{text}\n")
    assert "together" in found["connections.default.accounts.rules"]


def test_no_secret_is_shown_in_representations_or_problems(directory: Path) -> None:
    text = VALID.replace('private_key_file = "netsuite.pem"', f'private_key = "{SECRET}"')
    assert SECRET not in repr(read(directory, text))
    wrong = text.replace("private_key =", "privatekey =")
    for broken in (wrong, text.replace(f'"{SECRET}"', f'["{SECRET}"]')):
        with pytest.raises(SettingsError) as caught:
            read(directory, broken)
        assert SECRET not in str(caught.value)
        assert SECRET not in repr(caught.value.__cause__)


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, "no such file"), (b"[store", "not valid TOML"), (b"path = '\xff'", "not UTF-8")],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, content: bytes | None, problem: str) -> None:
    path = tmp_path / "twinbook.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=problem):
        load(path, {})


def variable(path: str) -> str:
    return "TWINBOOK_" + path.upper().replace(".", "__")


def test_the_environment_wins_over_the_file(directory: Path) -> None:
    environ = {
        variable("connections.default.netsuite.concurrency"): "9",
        variable("connections.default.contacts.create"): "false",
        variable("connections.default.contacts.role_filter"): '["Decision Maker", "Technical Buyer"]',
        variable("log.level"): "debug",
        "PATH": "irrelevant",
    }
    settings = read(directory, VALID, environ)
    connection = settings.connections["default"]
    assert connection.netsuite.concurrency == 9
    assert connection.contacts.create is False
    assert connection.contacts.role_filter == ("Decision Maker", "Technical Buyer")
    assert settings.log.level == "debug"


def test_a_problem_with_a_variable_names_the_variable(directory: Path) -> None:
    name = variable("connections.default.netsuite.concurrency")
    with pytest.raises(SettingsError) as caught:
        read(directory, VALID, {name: "many"})
    assert [item.source for item in caught.value.problems] == [name]


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("TWINBOOK_STORE_PATH", "x", "two underscores"),
        ("TWINBOOK_STORE__PTAH", "x", "mean path?"),
        ("TWINBOOK_STOER__PATH", "x", "store"),
        ("TWINBOOK_CONNECTIONS__DEFAULT__CONTACTS__ROLE_FILTER", "[unquoted]", "as in TOML"),
        ("TWINBOOK_CONNECTIONS__DEFAULT__NETSUITE__CLIENT_ID__X", "1", "not a table"),
    ],
)
def test_a_variable_that_cannot_be_a_setting_is_refused(
    directory: Path, name: str, value: str, hint: str
) -> None:
    with pytest.raises(SettingsError, match=f"^{name}:") as caught:
        read(directory, VALID, {name: value})
    assert hint in str(caught.value)


def test_variables_that_platforms_set_by_themselves_are_left_alone(directory: Path) -> None:
    read(directory, VALID, {"TWINBOOK_PORT": "tcp://10.0.0.1:80", "TWINBOOK_CONFIG": "elsewhere.toml"})
