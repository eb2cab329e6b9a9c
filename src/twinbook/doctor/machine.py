"""What can be examined without calling anybody: the database engine, and the certificates beside the keys."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from twinbook import certificates
from twinbook.doctor.checks import Check, Page, Verdict
from twinbook.settings import ConnectionSettings
from twinbook.store.sqlite import WAL_RESET_FIXED

# Days before the end of a certificate from which on it is worth a word: uploading the next one may need somebody else.
NOTICE_DAYS = 30
_TITLES = {"salesforce": "Salesforce", "netsuite": "NetSuite"}


def examine_machine(settings: ConnectionSettings, now: datetime) -> Iterator[Check]:
    yield _sqlite()
    salesforce, netsuite = settings.salesforce, settings.netsuite
    if salesforce.auth == "jwt" and salesforce.private_key_file:
        yield certificate("salesforce", Page.SALESFORCE_LOGIN, salesforce.private_key_file, now)
    if netsuite.auth == "oauth2" and netsuite.private_key_file:
        yield certificate("netsuite", Page.NETSUITE_LOGIN, netsuite.private_key_file, now)


def certificate(system: str, page: Page, key_file: Path, now: datetime) -> Check:
    """When the certificate of a key ends, if it lies beside the key."""
    well = Check(page, f"{system}.certificate", f"{_TITLES[system]} certificate", Verdict.OK)
    path = certificates.beside(key_file)
    renew = f"Make the next one with `twinbook install {system} --rotate`."
    try:
        found = certificates.read(path)
        key = key_file.read_text(encoding="ascii")
    except FileNotFoundError:
        return replace(well, detail=f"its end is not known: there is no {path.name} beside the key")
    except (OSError, ValueError):
        detail = f"{path} holds no certificate that can be read"
        return replace(well, verdict=Verdict.ADVICE, detail=detail, remedy=renew)
    if not found.belongs_to(key):
        detail = f"{path.name} is not the certificate of {key_file.name}"
        remedy = f"Put the right one beside the key. {renew}"
        return replace(well, verdict=Verdict.ADVICE, detail=detail, remedy=remedy)
    days = found.days_left(now)
    detail = f"valid until {found.ends:%Y-%m-%d}, {days} days more"
    if days < 0:
        return replace(well, verdict=Verdict.BROKEN, detail=f"ended on {found.ends:%Y-%m-%d}", remedy=renew)
    if days < NOTICE_DAYS:
        return replace(well, verdict=Verdict.ADVICE, detail=detail, remedy=renew)
    return replace(well, detail=detail)


def _sqlite() -> Check:
    detail = f"SQLite {sqlite3.sqlite_version}"
    if sqlite3.sqlite_version_info >= WAL_RESET_FIXED:
        return Check(Page.MACHINE, "machine.store", "store", Verdict.OK, detail)
    return Check(
        Page.MACHINE,
        "machine.store",
        "store",
        Verdict.ADVICE,
        f"{detail} has a rare fault when two processes tidy up the same file at once",
        "Twinbook lets one process only do so and is safe; do not open the file with other programs while it runs.",
    )
