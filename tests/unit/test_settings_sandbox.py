"""A settings file for a sandbox, made of what the sandbox tells."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from twinbook.settings import SettingsError, load
from twinbook.settings.sandbox import from_sandbox

TOLD: dict[str, Any] = {
    "sandbox": 1,
    "tls": False,
    "certificate": None,
    "salesforce": {
        "base_url": "http://127.0.0.1:8701",
        "control_url": "http://127.0.0.1:8701/_sandbox",
        "credentials": {
            "login_url": "http://127.0.0.1:8701",
            "consumer_key": "3MVG9",
            "username": "i@acme.example",
            "private_key": "salesforce key\n",
        },
    },
    "pubsub": {"endpoint": "127.0.0.1:8702", "url": "http://127.0.0.1:8702", "tls": False},
    "netsuite": {
        "base_url": "http://127.0.0.1:8703",
        "credentials": {
            "account_id": "1234567_SB1",
            "client_id": "client",
            "certificate_id": "kid",
            "private_key": "netsuite key\n",
            "rsa": {"certificate_id": "other"},
        },
    },
}


def test_the_file_that_is_written_can_be_loaded(tmp_path: Path) -> None:
    written = from_sandbox(TOLD, tmp_path)
    connection = load(written[0], {}).connections["default"]
    assert connection.salesforce.login_url == "http://127.0.0.1:8701"
    assert connection.salesforce.pubsub_endpoint == "127.0.0.1:8702"
    assert connection.salesforce.pubsub_tls is False
    assert connection.salesforce.read_private_key() == "salesforce key\n"
    assert connection.netsuite.base_url == "http://127.0.0.1:8703"
    assert connection.netsuite.read_private_key() == "netsuite key\n"
    assert connection.netsuite.certificate_id == "kid"


def test_a_sandbox_with_tls_is_trusted_by_its_certificate(tmp_path: Path) -> None:
    certificate = tmp_path / "sandbox.crt"
    certificate.write_text("certificate")
    told = deepcopy(TOLD) | {"tls": True, "certificate": str(certificate)}
    connection = load(from_sandbox(told, tmp_path)[0], {}).connections["default"]
    assert connection.salesforce.ca_file == connection.netsuite.ca_file == certificate
    assert connection.salesforce.verify_tls


def test_all_files_are_private_even_where_they_were_not(tmp_path: Path) -> None:
    (tmp_path / "sandbox-salesforce.pem").write_text("old")
    (tmp_path / "sandbox-salesforce.pem").chmod(0o644)
    written = from_sandbox(TOLD, tmp_path)
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in written} == {
        "twinbook.toml": "0o600",
        "sandbox-salesforce.pem": "0o600",
        "sandbox-netsuite.pem": "0o600",
    }


def test_keys_are_not_in_the_settings_file(tmp_path: Path) -> None:
    assert "netsuite key" not in from_sandbox(TOLD, tmp_path)[0].read_text()


@pytest.mark.parametrize("broken", ["sandbox", "netsuite", "pubsub"])
def test_something_else_than_a_sandbox_is_refused_and_nothing_is_written(tmp_path: Path, broken: str) -> None:
    told = {key: value for key, value in TOLD.items() if key != broken}
    with pytest.raises(SettingsError, match=f"sandbox: {broken}: is missing"):
        from_sandbox(told, tmp_path)
    assert list(tmp_path.iterdir()) == []
