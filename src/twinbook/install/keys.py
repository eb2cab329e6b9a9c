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

    A key that is there is used and never overwritten, unless `replace` says so.
    """
    auth = draft.get(system, "auth")
    if auth in SECRETS:
        return Step("key", "Key and certificate", State.DONE, f'not needed for auth = "{auth}"')
    if draft.get(system, "private_key"):
        return Step("key", "Key and certificate", State.DONE, "the key stands in the settings themselves")
    path = key_file(draft, system)
    certificate = certificates.beside(path)
    if replace or not path.exists():
        certificates.make(path, now=now, replace=replace)
    elif not certificate.exists():
        certificates.certify(path, now=now)
    if draft.get(system, KEY) is None:
        draft.enter(system, {KEY: path.name})
    found = certificates.read(certificate)
    detail = (
        f"{path.name} (keep it secret), {certificate.name} (to upload), valid until {found.ends:%Y-%m-%d}"
    )
    return Step("key", "Key and certificate", State.DONE, detail)


def next_key_file(path: Path) -> Path:
    """Where the key after this one goes: salesforce.pem, salesforce-2.pem, salesforce-3.pem …"""
    stem, number = re.fullmatch(r"(.*?)(?:-(\d+))?", path.stem).groups()  # type: ignore[union-attr]  # fits all
    return path.with_name(f"{stem}-{int(number or 1) + 1}{path.suffix}")
