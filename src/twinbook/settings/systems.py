"""How to reach and log in to the two systems: the tables `salesforce` and `netsuite` of a connection."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, StringConstraints, ValidationInfo, field_validator

from twinbook.settings.presets import ID_FIELDS, Preset
from twinbook.settings.table import ExistingFile, Name, Seconds, Table, Url, refusal

CustomField = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*__c$", max_length=80)]
CustomEntityField = Annotated[str, StringConstraints(pattern=r"^custentity[a-z0-9_]+$", max_length=40)]
ScriptId = Annotated[str, StringConstraints(pattern=r"^(custom[a-z0-9_]+|[0-9]+)$", max_length=40)]
RoleSource = Literal["AccountContactRole", "AccountContactRelation", "OpportunityContactRole"]

_TEST_ORGS = (".sandbox.my.salesforce.com", ".scratch.my.salesforce.com")
_GENERIC_LOGIN_HOSTS = frozenset({"login.salesforce.com", "test.salesforce.com"})


def _required_by(login: str, value: object, info: ValidationInfo) -> None:
    """Refuse an absent value that the chosen kind of login needs."""
    if value is None and info.data.get("auth") == login:
        raise refusal(
            f'is missing; auth = "{login}" needs it', f"add {info.field_name}, or choose another auth"
        )


def _private_key_given(login: str, value: object, info: ValidationInfo) -> None:
    """Refuse a login with a key that names no key. `private_key` is the last of the two fields."""
    if "private_key_file" not in info.data or info.data.get("auth") != login:
        return
    if (value is None) == (info.data["private_key_file"] is None):
        problem = "there is no private key" if value is None else "there are two private keys"
        raise refusal(problem, "give either private_key_file or private_key (better in the environment)")


def _private_key_text(file: Path | None, text: SecretStr | None) -> str | None:
    if file is not None:
        return file.read_text(encoding="ascii")
    return text.get_secret_value() if text is not None else None


class SalesforceSettings(Table):
    """The Salesforce org, and the integration user that Twinbook logs in as."""

    login_url: Url
    """My Domain address of the org, such as https://acme.my.salesforce.com."""
    auth: Literal["jwt", "client-credentials"] = "jwt"
    """Kind of login: a certificate and no shared secret (jwt), or a client secret (client-credentials)."""
    client_id: Name
    """Consumer key of the external client app."""
    username: str | None = None
    """User name of the integration user, for jwt."""
    private_key_file: ExistingFile | None = None
    """PEM file with the RSA private key of the app's certificate, for jwt."""
    private_key: SecretStr | None = None
    """The same key as PEM text, instead of the file."""
    audience: Url | None = None
    """Audience of the signed login, for jwt; made from login_url when absent."""
    client_secret: SecretStr | None = None
    """Consumer secret of the external client app, for client-credentials."""
    api_version: Annotated[str, StringConstraints(pattern=r"^[0-9]{2,3}\.0$")] = "67.0"
    """Version of the REST API."""
    pubsub_endpoint: Annotated[str, StringConstraints(pattern=r"^[^\s/]+:[0-9]{1,5}$")] = (
        "api.pubsub.salesforce.com:7443"
    )
    """Host and port of the Pub/Sub API; api.deu.pubsub.salesforce.com:7443 for EU data residency."""
    pubsub_tls: bool = True
    """Encrypt the Pub/Sub connection. Off only for a sandbox on this machine."""
    ca_file: ExistingFile | None = None
    """PEM file of certificate authorities to trust instead of the usual ones."""
    verify_tls: bool = True
    """Check the server's certificate. Off only for experiments."""
    id_field: CustomField = ID_FIELDS[Preset.TWINBOOK].salesforce
    """Hidden, unique external-id field on Contact and Account that holds the NetSuite id; see `preset`."""
    push_field: CustomField = "Push_to_NetSuite__c"
    """Checkbox on Contact and Account that asks for a sync at once; ignored where it does not exist."""
    status_fields: Literal["auto", "off"] = "auto"
    """Write status, message and time of the last sync to the contact if the fields are installed."""
    change_events: Literal["auto", "poll"] = "auto"
    """Listen to change events and poll where the org has none (auto), or only poll."""
    role_sources: tuple[RoleSource, ...] = (
        "AccountContactRole",
        "AccountContactRelation",
        "OpportunityContactRole",
    )
    """Objects whose roles count for `contacts.role_filter` and attachments; those that the org lacks are left out."""
    save_past_duplicate_alerts: bool = False
    """Save contacts although a duplicate rule raises an alert. Rules that block still block."""
    bulk_from: Annotated[int, Field(ge=1)] = 50_000
    """From so many records on, back-fill and sweep list them by the Bulk API instead of page by page."""
    poll_seconds: Seconds = 30
    """Time between two looks for changes where there are no change events."""
    timeout_seconds: Seconds = 30
    """Time after which a call is given up and tried again."""

    @property
    def jwt_audience(self) -> str:
        """The login host that serves the org: test for sandboxes and scratch orgs (salesforce.md 1.2, 1.3)."""
        host = urlsplit(self.login_url).hostname or ""
        is_test = host == "test.salesforce.com" or host.endswith(
            (".sandbox.my.salesforce.com", ".scratch.my.salesforce.com")
        )
        return self.audience or f"https://{'test' if is_test else 'login'}.salesforce.com"

    def read_private_key(self) -> str | None:
        """The key as PEM text; None where the login has none. Raises OSError when the file cannot be read."""
        return _private_key_text(self.private_key_file, self.private_key)

    @field_validator("username")
    @classmethod
    def _username(cls, value: str | None, info: ValidationInfo) -> str | None:
        _required_by("jwt", value, info)
        return value

    @field_validator("private_key")
    @classmethod
    def _private_key(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        _private_key_given("jwt", value, info)
        return value

    @field_validator("client_secret")
    @classmethod
    def _client_secret(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        _required_by("client-credentials", value, info)
        return value

    @field_validator("auth")
    @classmethod
    def _auth(cls, value: str, info: ValidationInfo) -> str:
        host = urlsplit(info.data.get("login_url", "")).hostname
        if value == "client-credentials" and host in _GENERIC_LOGIN_HOSTS:
            raise refusal(
                f"client-credentials does not work on {host}",
                "set login_url to the org's My Domain address, such as https://acme.my.salesforce.com",
            )
        return value


class NetSuiteSettings(Table):
    """The NetSuite account, and the integration record that Twinbook logs in with."""

    account_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]+([_-][A-Za-z0-9]+)?$")]
    """Account id as shown under Setup > Company > Company Information, such as 1234567 or 1234567_SB1."""
    base_url: Url | None = None
    """Address of the REST services; made from the account id when absent."""
    auth: Literal["oauth2", "tba"] = "oauth2"
    """Kind of login: OAuth 2.0 client credentials with a certificate, or token-based authentication (until 2028)."""
    client_id: Name | None = None
    """Client id of the integration record, for oauth2."""
    certificate_id: Name | None = None
    """Certificate id shown by the OAuth 2.0 Client Credentials (M2M) setup, for oauth2."""
    private_key_file: ExistingFile | None = None
    """PEM file with the private key (RSA or EC) of that certificate, for oauth2."""
    private_key: SecretStr | None = None
    """The same key as PEM text, instead of the file."""
    tba_consumer_key: SecretStr | None = None
    """Consumer key of the integration record, for tba."""
    tba_consumer_secret: SecretStr | None = None
    """Consumer secret of the integration record, for tba."""
    tba_token_id: SecretStr | None = None
    """Token id of the access token, for tba."""
    tba_token_secret: SecretStr | None = None
    """Token secret of the access token, for tba."""
    ca_file: ExistingFile | None = None
    """PEM file of certificate authorities to trust instead of the usual ones."""
    verify_tls: bool = True
    """Check the server's certificate. Off only for experiments."""
    concurrency: Annotated[int, Field(ge=1, le=100)] | None = None
    """Most calls at once, over all workers; when absent, what the account allows less reserve_calls (4 if unknown)."""
    reserve_calls: Annotated[int, Field(ge=0, le=100)] = 1
    """Calls at once that are left to other integrations of what the account allows (5 to 20 for most)."""
    transport: Literal["rest", "restlet", "auto"] = "auto"
    """How records are read and written: one by one, in batches by the RESTlet, or by it where it is deployed (auto)."""
    restlet_script: ScriptId = "customscript_twinbook_batch"
    """Script id of the RESTlet, or its number."""
    restlet_deployment: ScriptId = "customdeploy_twinbook_batch"
    """Deployment id of the RESTlet, or its number."""
    restlet_batch: Annotated[int, Field(ge=1, le=200)] = 50
    """Most records that one call of the RESTlet writes. NetSuite's scripts on save take their time for each."""
    id_field: CustomEntityField = ID_FIELDS[Preset.TWINBOOK].netsuite
    """Custom entity field on contact and customer that holds the Salesforce id; see `preset`."""
    link_field: CustomEntityField = "custentity_twinbook_link"
    """Field on contact and customer for the address of the Salesforce record; ignored where it does not exist."""
    locked_field: CustomEntityField | None = None
    """Checkbox on the NetSuite contact that keeps Twinbook from writing to it."""
    read_addresses: bool = True
    """Read the default address of contacts. Off for accounts whose role may not read the address tables."""
    read_deleted: bool = True
    """Look for deleted contacts; needs the permission Deleted Records."""
    poll_seconds: Seconds = 10
    """Time between two looks for changes in NetSuite; also where contacts go to NetSuite only, to notice deletes."""
    timeout_seconds: Seconds = 60
    """Time after which a call is given up and tried again."""

    def read_private_key(self) -> str | None:
        """The key as PEM text; None where the login has none. Raises OSError when the file cannot be read."""
        return _private_key_text(self.private_key_file, self.private_key)

    @field_validator("client_id", "certificate_id")
    @classmethod
    def _oauth2(cls, value: str | None, info: ValidationInfo) -> str | None:
        _required_by("oauth2", value, info)
        return value

    @field_validator("private_key")
    @classmethod
    def _private_key(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        _private_key_given("oauth2", value, info)
        return value

    @field_validator("tba_consumer_key", "tba_consumer_secret", "tba_token_id", "tba_token_secret")
    @classmethod
    def _tba(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        _required_by("tba", value, info)
        return value
