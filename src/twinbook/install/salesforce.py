"""The installation in Salesforce, step by step (docs/install-salesforce.md)."""

from __future__ import annotations

from twinbook.certificates import beside
from twinbook.composition import open_sides, salesforce_config
from twinbook.doctor import Check, Page
from twinbook.doctor.salesforce import BOTH_WAYS, ONE_WAY, examine_salesforce
from twinbook.domain.plan import Trigger
from twinbook.domain.records import Entity, Side
from twinbook.install.draft import Draft
from twinbook.install.keys import key_file
from twinbook.install.steps import Guide, Step, System, entered, examined, unusable
from twinbook.settings import ConnectionSettings, account_policy, contact_policy

CALLBACK = "https://login.salesforce.com/services/oauth2/success"

# Folder of the package and permission set, if any, for what only some settings use.
OPTIONS = {
    Entity.OPPORTUNITY_CONTACT_ROLE: ("options/opportunity-roles", None),
    Entity.ACCOUNT_CONTACT_RELATION: ("options/account-relations", "Twinbook Integration: account relations"),
    Entity.QUOTE: ("options/quotes", "Twinbook Integration: quotes"),
}


async def salesforce_guide(draft: Draft, key: Step) -> Guide:
    """How far the installation is. `key` is the step of the key, which was made before."""
    settings = draft.settings(System.SALESFORCE)
    checks = await examine(settings) if settings else []
    folders, sets = needed(settings)
    username = draft.get(System.SALESFORCE, "username")
    return Guide(
        System.SALESFORCE,
        draft.connection,
        (
            entered("org", "Address of the org", draft.get(System.SALESFORCE, "login_url"), _ORG),
            key,
            examined(
                "package",
                "Package: fields, permission sets, push action, list views",
                checks,
                [Page.SALESFORCE_PACKAGE],
                _package(draft, folders),
            ),
            entered("user", "Integration user", username, _user(sets)),
            *_unusable(draft),
            examined(
                "app",
                "External client app",
                checks,
                [Page.SALESFORCE_LOGIN],
                _app(draft, sets[0]),
            ),
            examined("events", "Change events", checks, [Page.SALESFORCE_EVENTS], _EVENTS),
        ),
    )


def _unusable(draft: Draft) -> tuple[Step, ...]:
    by_secret = draft.get(System.SALESFORCE, "auth") == "client-credentials"
    needed = ("login_url", "client_id", "client_secret" if by_secret else "username")
    entered_all = all(draft.get(System.SALESFORCE, key) for key in needed)
    return unusable(draft.problems(System.SALESFORCE)) if entered_all else ()


async def examine(settings: ConnectionSettings) -> list[Check]:
    """The checks of the doctor for this system."""
    async with open_sides(settings) as sides:
        return [check async for check in examine_salesforce(settings, sides)]


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


_ORG = (
    "Find the address: Setup > My Domain, such as https://acme.my.salesforce.com "
    "(a sandbox: https://acme--uat.sandbox.my.salesforce.com).",
    "Enter it: twinbook install salesforce --login-url https://...",
)
_EVENTS = (
    "They come with the package. Setup > Change Data Capture shows what is selected; most orgs allow five.",
)


def _package(draft: Draft, folders: list[str]) -> tuple[str, ...]:
    org = draft.get(System.SALESFORCE, "login_url") or "https://<your domain>"
    sources = " ".join(f"--source-dir {folder}" for folder in folders)
    return (
        "As an administrator, with the Salesforce CLI, in packages/salesforce of Twinbook's sources:",
        f"sf org login web --alias twinbook --instance-url {org}",
        f"sf project deploy start --target-org twinbook {sources}",
    )


def _user(sets: list[str]) -> tuple[str, ...]:
    return (
        "Setup > Users > New User: last name Twinbook, user licence Salesforce Integration, profile Minimum Access - "
        "API Only Integrations.",
        "On the user: Permission Set License Assignments > Edit: tick Salesforce API Integration.",
        f"On the user: Permission Set Assignments > Edit: add {', '.join(sets)}.",
        "Enter its user name: twinbook install salesforce --username twinbook@acme.example",
    )


def _app(draft: Draft, permission_set: str) -> tuple[str, ...]:
    by_secret = draft.get(System.SALESFORCE, "auth") == "client-credentials"
    certificate = beside(key_file(draft, System.SALESFORCE))
    flow = (
        "Flow enablement: tick Client Credentials Flow; under Policies choose the integration user as Run As."
        if by_secret
        else f"Flow enablement: tick JWT Bearer Flow and upload {certificate}."
    )
    secret = (
        ("Give the consumer secret as TWINBOOK_CONNECTIONS__<CONNECTION>__SALESFORCE__CLIENT_SECRET.",)
        if by_secret
        else ()
    )
    return (
        "Setup > External Client App Manager > New External Client App: name Twinbook, distribution state Local.",
        f"OAuth settings: enable OAuth; callback URL {CALLBACK} (not used); scope Manage user data via APIs (api), no "
        "other.",
        flow,
        "Policies > Edit > OAuth policies: permitted users Admin approved users are pre-authorized; select the "
        f"permission set {permission_set}.",
        "Settings > OAuth settings > Consumer Key and Secret: copy the consumer key.",
        "Enter it: twinbook install salesforce --client-id 3MVG9...",
        *secret,
    )
