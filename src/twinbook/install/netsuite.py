"""The installation in NetSuite, step by step (docs/install-netsuite.md)."""

from __future__ import annotations

from pathlib import Path

from twinbook.certificates import beside
from twinbook.composition import open_sides
from twinbook.doctor import Check, Page
from twinbook.doctor.netsuite import examine_netsuite
from twinbook.install.draft import Draft
from twinbook.install.keys import key_file
from twinbook.install.steps import Guide, State, Step, System, entered, examined, unusable
from twinbook.settings import ConnectionSettings


async def netsuite_guide(draft: Draft, key: Step) -> Guide:
    """How far the installation is. `key` is the step of the key, which was made before."""
    settings = draft.settings(System.NETSUITE)
    checks = await examine(settings) if settings else []
    certificate = beside(key_file(draft, System.NETSUITE))
    return Guide(
        System.NETSUITE,
        draft.connection,
        (
            entered("account", "Account", draft.get(System.NETSUITE, "account_id"), _ACCOUNT),
            key,
            examined("package", "Features, fields and role", checks, [Page.NETSUITE_PACKAGE], _PACKAGE),
            entered(
                "integration", "Integration record", draft.get(System.NETSUITE, "client_id"), _INTEGRATION
            ),
            entered(
                "certificate",
                "Certificate of the user",
                draft.get(System.NETSUITE, "certificate_id"),
                _certificate(certificate),
            ),
            *_unusable(draft),
            examined("login", "Login", checks, [Page.NETSUITE_LOGIN], ()),
            _ping(draft),
        ),
    )


def _unusable(draft: Draft) -> tuple[Step, ...]:
    entered_all = all(
        draft.get(System.NETSUITE, key) for key in ("account_id", "client_id", "certificate_id")
    )
    return unusable(draft.problems(System.NETSUITE)) if entered_all else ()


async def examine(settings: ConnectionSettings) -> list[Check]:
    """The checks of the doctor for this system."""
    async with open_sides(settings) as sides:
        return [check async for check in examine_netsuite(settings, sides)]


_ACCOUNT = (
    "Find the account id: Setup > Company > Company Information, such as 1234567 (a sandbox: 1234567_SB1).",
    "Enter it: twinbook install netsuite --account-id 1234567",
)
_PACKAGE = (
    "Setup > Company > Enable Features > SuiteCloud: REST Web Services and OAuth 2.0; Analytics: SuiteAnalytics "
    "Workbook.",
    "Fields, role and scripts, with the SuiteCloud CLI, in packages/netsuite of Twinbook's sources: suitecloud "
    "account:setup, then suitecloud project:deploy. By hand: docs/install-netsuite.md.",
    "Lists > Employees > New: an employee of its own; tab Access: give access, role Twinbook and no other.",
)
_INTEGRATION = (
    "Setup > Integration > Manage Integrations > New: name Twinbook, state Enabled.",
    "Tick Client Credentials (Machine to Machine) Grant and the scope REST Web Services; untick everything else. Save.",
    "Copy the client id; it is shown once. Enter it: twinbook install netsuite --client-id ...",
)


def _ping(draft: Draft) -> Step:
    title = "Change notifier (optional)"
    if not draft.pings:
        off = "off: changes are found by polling. Turn it on: twinbook install netsuite --ping"
        return Step("ping", title, State.DONE, off)
    base = draft.file.get(("web", "base_url")) or "https://<where NetSuite reaches Twinbook>"
    return Step(
        "ping",
        title,
        State.DONE,
        "ping.secret is set; enter it in NetSuite too",
        (
            "Setup > Company > API Secrets > New: id _twinbook_ping, the value of ping.secret in "
            f"{draft.file.path}; allow the scripts of Twinbook.",
            "Customization > Scripting > Script Deployments > Twinbook change notifier (each) > Edit > Parameters: "
            f"address {base}/ping/{draft.connection}, connection {draft.connection}.",
        ),
    )


def _certificate(certificate: Path) -> tuple[str, ...]:
    return (
        "Setup > Integration > Manage Authentication > OAuth 2.0 Client Credentials (M2M) Setup > Create New: entity "
        f"the employee, role Twinbook, application Twinbook; upload {certificate}.",
        "Copy the certificate id from the list. Enter it: twinbook install netsuite --certificate-id ...",
    )
