"""The keys of an installation: making the first one, and the next one beside it."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from twinbook import certificates
from twinbook.install.draft import Draft
from twinbook.install.steps import State, Step, System

KEY = "private_key_file"
# Kinds of login that need no key.
SECRETS = frozenset({"client-credentials", "tba"})


def key_file(draft: Draft, system: System) -> Path:
    """Where the key of a login is, or is to be."""
    name = draft.get(system, KEY)
    if name is None:
        prefix = "" if draft.connection == "default" else f"{draft.connection}-"
        name = f"{prefix}{system}.pem"
    return draft.directory / Path(name).expanduser()


def ensure_key(draft: Draft, system: System, *, now: datetime, replace: bool) -> Step:
    """Make key and certificate unless they are there, and enter the key's name in the settings.

    A key that is there is used and never overwritten, unless `replace` says so. Raises OSError, and ValueError for a
    key that is none.
    """
    if _needs_key(draft, system):
        path = key_file(draft, system)
        if replace or not path.exists():
            certificates.make(path, now=now, replace=replace)
        elif not certificates.beside(path).exists():
            certificates.certify(path, now=now)
        if draft.get(system, KEY) is None:
            draft.enter(system, {KEY: path.name})
    return key_step(draft, system)


def key_step(draft: Draft, system: System) -> Step:
    """Whether key and certificate are there."""
    code, title = "key", "Key and certificate"
    if not _needs_key(draft, system):
        auth = draft.get(system, "auth")
        why = (
            f'not needed for auth = "{auth}"'
            if auth in SECRETS
            else "the key stands in the settings themselves"
        )
        return Step(code, title, State.DONE, why)
    path = key_file(draft, system)
    certificate = certificates.beside(path)
    if draft.get(system, KEY) is None or not path.exists() or not certificate.exists():
        return Step(code, title, State.TO_DO, "", (_MAKE,))
    try:
        found = certificates.read(certificate)
    except (OSError, ValueError):
        broken = f"{certificate.name} holds no certificate that can be read"
        return Step(code, title, State.BROKEN, broken, (f"Move it away, and make one anew. {_MAKE}",))
    detail = (
        f"{path.name} (keep it secret), {certificate.name} (to upload), valid until {found.ends:%Y-%m-%d}"
    )
    return Step(code, title, State.DONE, detail)


_MAKE = "Twinbook makes both. The key stays on this machine, for its owner only; the certificate is what you upload."


def _needs_key(draft: Draft, system: System) -> bool:
    return draft.get(system, "auth") not in SECRETS and not draft.get(system, "private_key")


def next_key_file(path: Path) -> Path:
    """Where the key after this one goes: salesforce.pem, salesforce-2.pem, salesforce-3.pem …"""
    stem, number = re.fullmatch(r"(.*?)(?:-(\d+))?", path.stem).groups()  # type: ignore[union-attr]  # fits all
    return path.with_name(f"{stem}-{int(number or 1) + 1}{path.suffix}")
