"""Keys and certificates: made private, never overwritten by chance, and known by the day they end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from twinbook import certificates
from twinbook.doctor import Page, Verdict
from twinbook.doctor.machine import NOTICE_DAYS, certificate

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "salesforce.pem"
    certificates.make(path, now=NOW)
    return path


def test_both_files_are_for_their_owner_only(key_file: Path) -> None:
    names = {path.name: oct(path.stat().st_mode & 0o777) for path in key_file.parent.iterdir()}
    assert names == {"salesforce.pem": "0o600", "salesforce.crt": "0o600"}


def test_both_systems_accept_them(key_file: Path) -> None:
    made = x509.load_pem_x509_certificate(certificates.beside(key_file).read_bytes())
    key = load_pem_private_key(key_file.read_bytes(), None)
    assert key.key_size == 3072  # type: ignore[union-attr]
    assert made.not_valid_before_utc < NOW, "a clock that is behind accepts it"
    assert made.not_valid_after_utc - made.not_valid_before_utc <= timedelta(days=731)
    made.verify_directly_issued_by(made)


def test_nothing_is_overwritten_by_chance(tmp_path: Path) -> None:
    (tmp_path / "netsuite.crt").write_text("somebody's")
    with pytest.raises(FileExistsError, match=r"netsuite\.crt"):
        certificates.make(tmp_path / "netsuite.pem", now=NOW)
    assert [path.name for path in tmp_path.iterdir()] == ["netsuite.crt"]
    certificates.make(tmp_path / "netsuite.pem", now=NOW, replace=True)
    assert certificates.read(tmp_path / "netsuite.crt").ends > NOW


def test_a_certificate_belongs_to_its_key_only(key_file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    certificates.make(other, now=NOW)
    made = certificates.read(certificates.beside(key_file))
    assert made.belongs_to(key_file.read_text())
    assert not made.belongs_to(other.read_text())
    assert not made.belongs_to("nonsense")


@pytest.mark.parametrize(
    ("days_before", "verdict"),
    [
        (NOTICE_DAYS + 1, Verdict.OK),
        (NOTICE_DAYS - 1, Verdict.ADVICE),
        (0, Verdict.ADVICE),
        (-1, Verdict.BROKEN),
    ],
)
def test_the_end_of_a_certificate_is_told_in_time(key_file: Path, days_before: int, verdict: Verdict) -> None:
    ends = certificates.read(certificates.beside(key_file)).ends
    found = certificate("salesforce", Page.SALESFORCE_LOGIN, key_file, ends - timedelta(days=days_before))
    assert (found.code, found.verdict) == ("salesforce.certificate", verdict)
    assert f"{ends:%Y-%m-%d}" in found.detail
    assert ("--rotate" in found.remedy) is (verdict is not Verdict.OK)


def test_a_certificate_that_is_none_or_another_one_is_told(key_file: Path, tmp_path: Path) -> None:
    lonely = tmp_path / "lonely.pem"
    lonely.write_bytes(key_file.read_bytes())
    assert certificate("netsuite", Page.NETSUITE_LOGIN, lonely, NOW).verdict is Verdict.OK
    certificates.beside(lonely).write_text("nonsense")
    assert certificate("netsuite", Page.NETSUITE_LOGIN, lonely, NOW).verdict is Verdict.ADVICE
    certificates.make(tmp_path / "other.pem", now=NOW)
    certificates.beside(lonely).write_bytes((tmp_path / "other.crt").read_bytes())
    found = certificate("netsuite", Page.NETSUITE_LOGIN, lonely, NOW)
    assert (found.verdict, "not the certificate of lonely.pem" in found.detail) == (Verdict.ADVICE, True)
