"""Replacing a key before its certificate ends: the next one is made beside it, uploaded, tried out, and only then used.

The switch is one write of the settings file. Until then nothing that works is touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from twinbook import certificates
from twinbook.doctor import Check, Verdict
from twinbook.install.draft import Draft
from twinbook.install.guiding import LOGIN, examine
from twinbook.install.keys import KEY, key_file, next_key_file
from twinbook.install.steps import Guide, State, Step, System
from twinbook.settings import ConnectionSettings


class CannotRotateError(Exception):
    """There is no key file to replace; the message says what to do instead."""


@dataclass(frozen=True, slots=True)
class _Keys:
    now: Path
    next: Path


async def rotate(draft: Draft, system: System, *, certificate_id: str | None, now: datetime) -> Guide:
    """Go as far as it goes: make the next key, or try it out and switch to it. The draft is changed by the switch.

    `certificate_id` is what NetSuite calls the next certificate; Salesforce has no such id.
    """
    settings = draft.settings(system)
    if draft.get(system, KEY) is None or settings is None:
        raise CannotRotateError(
            f"{system.label} has no {KEY} in {draft.file.path} yet, or its settings are not complete. "
            f"Run `twinbook install {system}` first."
        )
    for key in (KEY, "certificate_id"):
        if draft.is_in_environment(system, key):
            raise CannotRotateError(
                f"{draft.variable(system, key)} wins over {draft.file.path}: put it into the file, or replace it where "
                "it is set."
            )
    current = key_file(draft, system)
    keys = _Keys(current, next_key_file(current))
    made = _made(keys, now)
    if system is System.NETSUITE and certificate_id is None:
        return _guide(draft, system, made, Step("upload", "Upload", State.TO_DO, "", _upload(system, keys)))
    next_settings = _with_key(settings, system, keys.next, certificate_id)
    problem = await _login_problem(next_settings, system, now)
    if problem is not None:
        told = (f"{problem.detail}. {problem.remedy}", *_upload(system, keys))
        upload = Step("upload", "Upload", State.TO_DO, "the login with the next key does not work yet", told)
        return _guide(draft, system, made, upload)
    named = {KEY: str(Path(draft.get(system, KEY)).with_name(keys.next.name))}
    draft.enter(system, named | ({"certificate_id": certificate_id} if certificate_id else {}))
    return _guide(
        draft,
        system,
        made,
        Step("upload", "Upload", State.DONE, "the login with the next key works"),
        Step(
            "switch",
            "Switch",
            State.DONE,
            f"{draft.file.path.name} names {keys.next.name}",
            _after(system, keys),
        ),
    )


def _made(keys: _Keys, now: datetime) -> Step:
    if not keys.next.exists():
        certificates.make(keys.next, now=now)
    elif not certificates.beside(keys.next).exists():
        certificates.certify(keys.next, now=now)
    ends = certificates.read(certificates.beside(keys.next)).ends
    return Step(
        "key", "Next key", State.DONE, f"{keys.next.name} beside {keys.now.name}, valid until {ends:%Y-%m-%d}"
    )


def _guide(draft: Draft, system: System, *steps: Step) -> Guide:
    return Guide(system, draft.connection, steps)


def _with_key(
    settings: ConnectionSettings, system: System, key: Path, certificate_id: str | None
) -> ConnectionSettings:
    table = settings.salesforce if system is System.SALESFORCE else settings.netsuite
    changes = {KEY: key} | ({"certificate_id": certificate_id} if certificate_id else {})
    return settings.model_copy(update={system.value: table.model_copy(update=changes)})


async def _login_problem(settings: ConnectionSettings, system: System, now: datetime) -> Check | None:
    async for check in examine(settings, system, now=now):
        if check.page is LOGIN[system] and check.verdict is Verdict.BROKEN:
            return check
    return None


def _upload(system: System, keys: _Keys) -> tuple[str, ...]:
    certificate = certificates.beside(keys.next)
    if system is System.SALESFORCE:
        return (
            "Setup > External Client App Manager > Twinbook > Settings > Edit > OAuth settings > Flow enablement: "
            f"upload {certificate} in place of the old one.",
            "From then on the old key cannot log in any more; sessions that are open go on. So continue at once: "
            "twinbook install salesforce --rotate",
        )
    return (
        "Setup > Integration > Manage Authentication > OAuth 2.0 Client Credentials (M2M) Setup > Create New: entity, "
        f"role and application as before; upload {certificate}. The old certificate stays valid beside it.",
        "Continue with its id: twinbook install netsuite --rotate --certificate-id ...",
    )


def _after(system: System, keys: _Keys) -> tuple[str, ...]:
    revoke = (
        "" if system is System.SALESFORCE else " In NetSuite, revoke the old certificate in the same list."
    )
    return (
        "A twinbook that runs logs in with the next key by itself; on other machines, copy the key and the settings. "
        f"Then delete {keys.now.name} and its certificate.{revoke}",
    )
