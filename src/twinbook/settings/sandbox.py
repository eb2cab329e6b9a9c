"""A settings file for a running sandbox: `twinbook init --sandbox URL`.

The sandbox tells its addresses and credentials as JSON (docs/sandbox.md); only that is known of it here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from twinbook.settings.problems import Problem, SettingsError, dotted
from twinbook.settings.rendering import render_commented

SETTINGS_FILE = "twinbook.toml"
SALESFORCE_KEY_FILE = "sandbox-salesforce.pem"
NETSUITE_KEY_FILE = "sandbox-netsuite.pem"

# The sandbox knows no daily limits, and whoever tries it out looks at the screen.
_POLL_SECONDS = 1


class _Told(BaseModel):
    """A part of the description. What is not needed here is overlooked."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class _SalesforceLogin(_Told):
    login_url: str
    consumer_key: str
    username: str
    private_key: str = Field(repr=False)


class _Salesforce(_Told):
    credentials: _SalesforceLogin


class _PubSub(_Told):
    endpoint: str
    tls: bool


class _NetSuiteLogin(_Told):
    account_id: str
    client_id: str
    certificate_id: str
    private_key: str = Field(repr=False)


class _NetSuite(_Told):
    base_url: str
    credentials: _NetSuiteLogin


class _Sandbox(_Told):
    sandbox: Literal[1]
    certificate: str | None
    salesforce: _Salesforce
    pubsub: _PubSub
    netsuite: _NetSuite


def from_sandbox(
    description: Mapping[str, Any], directory: Path, *, name: str = SETTINGS_FILE
) -> tuple[Path, ...]:
    """Write a settings file called `name` and both private keys into `directory`; returns the paths, settings first.

    `description` is what `twinbook sandbox --json` prints. Files of the same names are replaced. All can be read by
    their owner only. Raises `SettingsError` when this is no description of a sandbox, `OSError` when a file cannot
    be written.
    """
    try:
        told = _Sandbox.model_validate(description)
    except ValidationError as error:
        raise SettingsError([_not_understood(str(dotted(item["loc"]))) for item in error.errors()]) from None
    return (
        _write(directory / name, render_commented(_values(told))),
        _write(directory / SALESFORCE_KEY_FILE, told.salesforce.credentials.private_key),
        _write(directory / NETSUITE_KEY_FILE, told.netsuite.credentials.private_key),
    )


def _values(told: _Sandbox) -> dict[str, Any]:
    trust = {"ca_file": told.certificate} if told.certificate else {}
    salesforce = {
        "login_url": told.salesforce.credentials.login_url,
        "client_id": told.salesforce.credentials.consumer_key,
        "username": told.salesforce.credentials.username,
        "private_key_file": SALESFORCE_KEY_FILE,
        "pubsub_endpoint": told.pubsub.endpoint,
        "pubsub_tls": told.pubsub.tls,
        "poll_seconds": _POLL_SECONDS,
    }
    netsuite = {
        "account_id": told.netsuite.credentials.account_id,
        "base_url": told.netsuite.base_url,
        "client_id": told.netsuite.credentials.client_id,
        "certificate_id": told.netsuite.credentials.certificate_id,
        "private_key_file": NETSUITE_KEY_FILE,
        "poll_seconds": _POLL_SECONDS,
    }
    accounts = {"subsidiary_id": "1"}
    connection = {"salesforce": salesforce | trust, "netsuite": netsuite | trust, "accounts": accounts}
    return {"connections": {"default": connection}}


def _write(path: Path, text: str) -> Path:
    """Private from the first byte on, also where the file was there with wider rights."""
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)
    return path


def _not_understood(key: str) -> Problem:
    remedy = "give the address of a running `twinbook sandbox` of this version"
    return Problem("sandbox", key, "is missing from its description, or of another kind", remedy)
