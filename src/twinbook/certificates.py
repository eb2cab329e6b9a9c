"""Keys and certificates of the two logins: making them, and knowing when they end.

The certificate lies beside its key, as `salesforce.crt` beside `salesforce.pem`. Only the certificate is uploaded.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

# NetSuite refuses shorter RSA keys, and certificates that are valid for more than two years (netsuite.md 1.2).
KEY_BITS = 3072
VALID_DAYS = 730
SUFFIX = ".crt"

_PEM = serialization.Encoding.PEM
_PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says. `ends` is when it is no longer accepted."""

    ends: datetime
    fingerprint: str
    public_key: bytes

    def days_left(self, now: datetime) -> int:
        return (self.ends - now).days

    def belongs_to(self, private_key: str) -> bool:
        """Whether it is the certificate of this key (PEM); False also when that is no key."""
        try:
            key = serialization.load_pem_private_key(private_key.encode(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            return False
        return _public_bytes(key.public_key()) == self.public_key


def beside(key_file: Path) -> Path:
    """Where the certificate of a key lies."""
    return key_file.with_suffix(SUFFIX)


def make(key_file: Path, *, now: datetime, replace: bool = False) -> Path:
    """Write a fresh key and, beside it, its certificate; returns the certificate's path.

    Both can be read by their owner only. Raises FileExistsError when either is there and may not be replaced.
    """
    certificate_file = beside(key_file)
    for path in (key_file, certificate_file):
        if path.exists() and not replace:
            raise FileExistsError(f"{path} is there already")
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    private = key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_private(key_file, private)
    return certify(key_file, now=now)


def certify(key_file: Path, *, now: datetime) -> Path:
    """Write a certificate for a key that is there; returns its path. Raises OSError, and ValueError for no RSA key."""
    key = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError(f"{key_file} holds no RSA key")
    write_private(beside(key_file), _self_signed(key, now).public_bytes(_PEM))
    return beside(key_file)


def read(path: Path) -> Certificate:
    """The certificate in a PEM file. Raises OSError, and ValueError when it holds none."""
    found = x509.load_pem_x509_certificate(path.read_bytes())
    return Certificate(
        found.not_valid_after_utc,
        found.fingerprint(hashes.SHA256()).hex(":").upper(),
        _public_bytes(found.public_key()),
    )


def text(path: Path) -> bytes:
    """The certificate in a PEM file and nothing else that may stand there. Raises as `read` does."""
    return x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(_PEM)


def write_private(path: Path, content: bytes) -> None:
    """A file for its owner only, private from its first byte and never half written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beginning = path.with_name(f".{path.name}.new")
    beginning.unlink(missing_ok=True)
    with os.fdopen(os.open(beginning, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE), "wb") as file:
        file.write(content)
    beginning.replace(path)


def _self_signed(key: rsa.RSAPrivateKey, now: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "twinbook")])
    # Valid from a little earlier: the clock of the one who checks may be behind.
    starts = now - timedelta(minutes=10)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts)
        .not_valid_after(starts + timedelta(days=VALID_DAYS))
        .sign(key, hashes.SHA256())
    )


def _public_bytes(key: object) -> bytes:
    encoded: bytes = key.public_bytes(  # type: ignore[attr-defined]  # every kind of public key has it
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return encoded
