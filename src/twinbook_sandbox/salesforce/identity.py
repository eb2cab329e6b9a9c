"""Who the org is: its ids, its users, and the app with the keys that the integration logs in with."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from twinbook_sandbox.salesforce.ids import make_id
from twinbook_sandbox.salesforce.storage import Storage

_KEY_BITS = 2048
_CERTIFICATE_DAYS = 3650
ORG_NAME = "Meridian Supplies"
INTEGRATION = "Integration"
ADMINISTRATOR = "Administrator"


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the org. Ids have 18 characters."""

    id_: str
    username: str
    first_name: str | None
    last_name: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Ids, users and app of one org. Keys are PEM texts; the private key never leaves this machine's memory
    except to a client of the sandbox, which plays the part of the integration."""

    org_id: str
    integration: Person
    people: tuple[Person, ...]
    consumer_key: str
    consumer_secret: str
    private_key: str
    certificate: str

    @property
    def users(self) -> tuple[Person, ...]:
        return (self.integration, *self.people)

    def find_user(self, name: str) -> Person | None:
        """A user by id, username or last name."""
        return next((u for u in self.users if name in (u.id_, u.username, u.last_name)), None)


def make_identity(seed: int, storage: Storage) -> Identity:
    """The org of a seed: ids, names and secrets are always the same; the key pair is kept in the storage."""
    random = Random(f"identity {seed}")  # noqa: S311
    serial = random.randrange(62**5, 62**6)
    key, certificate = storage.meta("private_key"), storage.meta("certificate")
    if key is None or certificate is None:
        key, certificate = make_key_pair()
        storage.set_meta("private_key", key)
        storage.set_meta("certificate", certificate)
    return Identity(
        org_id=make_id("00D", serial),
        integration=Person(make_id("005", serial), "integration@meridian.example", None, INTEGRATION),
        people=(
            Person(make_id("005", serial + 1), "admin@meridian.example", "Ada", ADMINISTRATOR),
            Person(make_id("005", serial + 2), "ruth.vogel@meridian.example", "Ruth", "Vogel"),
            Person(make_id("005", serial + 3), "sam.iqbal@meridian.example", "Sam", "Iqbal"),
        ),
        consumer_key=f"3MVG9{base64.urlsafe_b64encode(random.randbytes(60)).decode().replace('-', '_')}",
        consumer_secret=random.randbytes(32).hex().upper(),
        private_key=key,
        certificate=certificate,
    )


def make_key_pair() -> tuple[str, str]:
    """A fresh RSA key and a certificate of its own for it, both as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sandbox integration")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_CERTIFICATE_DAYS))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private.decode(), certificate.public_bytes(pem).decode()
