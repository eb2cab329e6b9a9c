"""The installation in Salesforce, step by step (docs/install-salesforce.md)."""

from __future__ import annotations

from collections.abc import Sequence

from twinbook.certificates import beside
from twinbook.composition import salesforce_config
from twinbook.doctor import Check, Page
from twinbook.doctor.salesforce import BOTH_WAYS, ONE_WAY
from twinbook.domain.plan import Trigger
from twinbook.domain.records import Entity, Side
from twinbook.install.draft import Draft
from twinbook.install.keys import key_file
from twinbook.install.steps import Ask, Guide, Step, System, Told, entered, examined, unusable
from twinbook.settings import ConnectionSettings, account_policy, contact_policy

CALLBACK = "https://login.salesforce.com/services/oauth2/success"

# Folder of the package and permission set, if any, for what only some settings use.
OPTIONS = {
    Entity.OPPORTUNITY_CONTACT_ROLE: ("options/opportunity-roles", None),
    Entity.ACCOUNT_CONTACT_RELATION: ("options/account-relations", "Twinbook Integration: account relations"),
    Entity.QUOTE: ("options/quotes", "Twinbook Integration: quotes"),
}


def salesforce_guide(draft: Draft, key: Step, checks: Sequence[Check]) -> Guide:
    """How far the installation is. `key` is the step of the key; `checks` are those of the doctor, none where nothing
    was examined yet."""
    folders, sets = needed(draft.settings(System.SALESFORCE))
    username = draft.get(System.SALESFORCE, "username")
    return Guide(
        System.SALESFORCE,
        draft.connection,
        (
            entered("org", "Address of the org", draft.get(System.SALESFORCE, "login_url"), _ORG, _ADDRESS),
            key,
            examined(
                "package",
                "Package: fields, permission sets, push action, list views",
                checks,
                Page.SALESFORCE_PACKAGE,
                _package(draft, folders),
            ),
            entered("user", "Integration user", username, _user(sets), _USERNAME),
            *_unusable(draft),
            examined(
                "app",
                "External client app",
                checks,
                Page.SALESFORCE_LOGIN,
                _app(draft, sets[0]),
                asks=_CONSUMER_KEY,
            ),
            examined("events", "Change events", checks, Page.SALESFORCE_EVENTS, _EVENTS),
        ),
    )


def _unusable(draft: Draft) -> tuple[Step, ...]:
    by_secret = draft.get(System.SALESFORCE, "auth") == "client-credentials"
    needed = ("login_url", "client_id", "client_secret" if by_secret else "username")
    entered_all = all(draft.get(System.SALESFORCE, key) for key in needed)
    return unusable(draft.problems(System.SALESFORCE)) if entered_all else ()


def needed(settings: ConnectionSettings | None) -> tuple[list[str], list[str]]:
    """Folders of the package to deploy and permission sets to assign, for what these settings use."""
    folders, sets = ["force-app"], [ONE_WAY]
    if settings is None:
        return folders, sets
    if contact_policy(settings).direction.reaches(Side.SALESFORCE):
        sets.append(BOTH_WAYS)
    used = set(salesforce_config(settings).role_sources)
    if Trigger.QUOTE in account_policy(settings).triggers:
        used.add(Entity.QUOTE)
    for entity, (folder, permission_set) in OPTIONS.items():
        if entity in used:
            folders.append(folder)
            sets += [permission_set] if permission_set else []
    return folders, sets


_ADDRESS = Ask("login_url", "Address of the org", "https://acme.my.salesforce.com")
_USERNAME = Ask("username", "User name of the integration user", "twinbook@acme.example")
_CONSUMER_KEY = Ask("client_id", "Consumer key", "3MVG9...")

_ORG = Told(
    (
        "Find the address: Setup > My Domain, such as https://acme.my.salesforce.com "
        "(a sandbox: https://acme--uat.sandbox.my.salesforce.com).",
    )
)
_EVENTS = Told(
    ("They come with the package. Setup > Change Data Capture shows what is selected; most orgs allow five.",)
)


def _package(draft: Draft, folders: list[str]) -> Told:
    org = draft.get(System.SALESFORCE, "login_url") or "https://<your domain>"
    sources = " ".join(f"--source-dir {folder}" for folder in folders)
    return Told(
        ("As an administrator, with the Salesforce CLI, in the package's folder (packages/salesforce):",),
        (
            f"sf org login web --alias twinbook --instance-url {org}",
            f"sf project deploy start --target-org twinbook {sources}",
        ),
    )


def _user(sets: list[str]) -> Told:
    return Told(
        (
            "Setup > Users > New User: last name Twinbook, user licence Salesforce Integration, profile Minimum Access "
            "- API Only Integrations.",
            "On the user: Permission Set License Assignments > Edit: tick Salesforce API Integration.",
            f"On the user: Permission Set Assignments > Edit: add {', '.join(sets)}.",
            "Copy the user name.",
        ),
    )


def _app(draft: Draft, permission_set: str) -> Told:
    by_secret = draft.get(System.SALESFORCE, "auth") == "client-credentials"
    certificate = beside(key_file(draft, System.SALESFORCE))
    flow = (
        "Flow enablement: tick Client Credentials Flow; under Policies choose the integration user as Run As."
        if by_secret
        else f"Flow enablement: tick JWT Bearer Flow and upload {certificate}."
    )
    variable = draft.variable(System.SALESFORCE, "client_secret")
    secret = (f"Give the consumer secret as {variable}, in the environment.",) if by_secret else ()
    acts = (
        "Setup > External Client App Manager > New External Client App: name Twinbook, distribution state Local.",
        f"OAuth settings: enable OAuth; callback URL {CALLBACK} (not used); scope Manage user data via APIs (api), no "
        "other.",
        flow,
        "Policies > Edit > OAuth policies: permitted users Admin approved users are pre-authorized; select the "
        f"permission set {permission_set}.",
        "Settings > OAuth settings > Consumer Key and Secret: copy the consumer key.",
        *secret,
    )
    return Told(acts, values=(("Callback URL", CALLBACK), ("Permission set", permission_set)))
