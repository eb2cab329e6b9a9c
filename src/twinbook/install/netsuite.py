"""The installation in NetSuite, step by step (docs/install-netsuite.md)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from twinbook.certificates import beside
from twinbook.doctor import Check, Page
from twinbook.install.draft import Draft
from twinbook.install.keys import key_file
from twinbook.install.steps import Ask, Guide, State, Step, System, Told, entered, examined, unusable


def netsuite_guide(draft: Draft, key: Step, checks: Sequence[Check]) -> Guide:
    """How far the installation is. `key` is the step of the key; `checks` are those of the doctor, none where nothing
    was examined yet."""
    certificate = beside(key_file(draft, System.NETSUITE))
    client_id, certificate_id = (draft.get(System.NETSUITE, name) for name in ("client_id", "certificate_id"))
    return Guide(
        System.NETSUITE,
        draft.connection,
        (
            entered("account", "Account", draft.get(System.NETSUITE, "account_id"), _ACCOUNT, _ACCOUNT_ID),
            key,
            examined("package", "Features, fields and role", checks, Page.NETSUITE_PACKAGE, _PACKAGE),
            entered("integration", "Integration record", client_id, _INTEGRATION, _CLIENT_ID),
            entered(
                "certificate",
                "Certificate of the user",
                certificate_id,
                _certificate(certificate),
                _CERTIFICATE_ID,
            ),
            *_unusable(draft),
            examined("login", "Login", checks, Page.NETSUITE_LOGIN, Told()),
            _ping(draft),
        ),
    )


def _unusable(draft: Draft) -> tuple[Step, ...]:
    entered_all = all(
        draft.get(System.NETSUITE, key) for key in ("account_id", "client_id", "certificate_id")
    )
    return unusable(draft.problems(System.NETSUITE)) if entered_all else ()


_ACCOUNT_ID = Ask("account_id", "Account id", "1234567")
_CLIENT_ID = Ask("client_id", "Client id", "...")
_CERTIFICATE_ID = Ask("certificate_id", "Certificate id", "...")

_ACCOUNT = Told(
    ("Find the account id: Setup > Company > Company Information, such as 1234567 (a sandbox: 1234567_SB1).",)
)
_PACKAGE = Told(
    (
        "Setup > Company > Enable Features > SuiteCloud: REST Web Services and OAuth 2.0; Analytics: SuiteAnalytics "
        "Workbook.",
        "Lists > Employees > New: an employee of its own; tab Access: give access, role Twinbook and no other. The "
        "role comes with the package.",
        "Fields, role and scripts, with the SuiteCloud CLI, in the package's folder (packages/netsuite of the sources; "
        "by hand: docs/install-netsuite.md):",
    ),
    ("suitecloud account:setup", "suitecloud project:deploy"),
)
_INTEGRATION = Told(
    (
        "Setup > Integration > Manage Integrations > New: name Twinbook, state Enabled.",
        "Tick Client Credentials (Machine to Machine) Grant and the scopes REST Web Services and RESTlets; untick "
        "everything else. Save.",
        "Copy the client id; it is shown once.",
    )
)


def _ping(draft: Draft) -> Step:
    title = "Change notifier (optional)"
    if not draft.pings:
        off = "off: changes are found by polling. Turn it on: twinbook install netsuite --ping"
        return Step("ping", title, State.DONE, off)
    base = draft.file.get(("web", "base_url")) or "https://<where NetSuite reaches Twinbook>"
    address = f"{base}/ping/{draft.connection}"
    return Step(
        "ping",
        title,
        State.DONE,
        "ping.secret is set; enter it in NetSuite too",
        (
            "Setup > Company > API Secrets > New: id _twinbook_ping, the value of ping.secret in "
            f"{draft.file.path}; allow the scripts of Twinbook.",
            "Customization > Scripting > Script Deployments > Twinbook change notifier (each) > Edit > Parameters: "
            f"address {address}, connection {draft.connection}.",
        ),
        values=(
            ("Id of the secret", "_twinbook_ping"),
            ("Address", address),
            ("Connection", draft.connection),
        ),
    )


def _certificate(certificate: Path) -> Told:
    return Told(
        (
            "Setup > Integration > Manage Authentication > OAuth 2.0 Client Credentials (M2M) Setup > Create New: "
            f"entity the employee, role Twinbook, application Twinbook; upload {certificate}.",
            "Copy the certificate id from the list.",
        )
    )
