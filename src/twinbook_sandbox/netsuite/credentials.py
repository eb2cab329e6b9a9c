"""What an administrator has set up for the integration: client id, certificates with their keys, a TBA token.

Made once and kept with the account's data, so that they outlive a restart. Real certificates and real keys: a
client signs with them as it would against NetSuite (netsuite.md 1.2, 1.5).
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.netsuite.errors import NetSuiteError
from twinbook_sandbox.netsuite.storage import Storage
from twinbook_sandbox.netsuite.switches import NetSuiteSwitches

ACCOUNT_ID = "1234567_SB1"
MAX_CERTIFICATES = 5
RSA_BITS = 3072
VALID_DAYS = 730
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey

_CERTIFICATE = "certificate:"
_KEY = "key:"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A registered certificate."""

    key: PublicKey
    valid_from: datetime
    valid_until: datetime


class Credentials:
    """The logins of one account. ``seed`` fixes all but the RSA key."""

    def __init__(self, storage: Storage, switches: NetSuiteSwitches, clock: Clock, seed: int) -> None:
        self._storage = storage
        self._switches = switches
        self._clock = clock
        self._seed = seed
        if "client_id" not in storage.credentials():
            self._create()
        self._registered = self._load()

    @property
    def client_id(self) -> str:
        """Client id (consumer key) of the integration record."""
        return self._storage.credentials()["client_id"]

    def describe(self) -> dict[str, Any]:
        """Everything a client needs, for each kind of login. The top level is OAuth 2.0 with the EC key."""
        kept = self._storage.credentials()
        elliptic, classic = (
            self._login(kept, kept[name]) for name in ("ec_certificate_id", "rsa_certificate_id")
        )
        tba = {name: kept[name] for name in ("consumer_key", "consumer_secret", "token_id", "token_secret")}
        return {"account_id": ACCOUNT_ID, **elliptic, "rsa": classic, "tba": tba}

    def _login(self, kept: dict[str, str], kid: str) -> dict[str, str]:
        return {
            "client_id": kept["client_id"],
            "certificate_id": kid,
            "private_key": kept[_KEY + kid],
            "certificate": kept[_CERTIFICATE + kid],
        }

    def tba_secrets(self, consumer_key: str, token_id: str) -> tuple[str, str] | None:
        """Consumer and token secret, if both keys are those of the integration."""
        kept = self._storage.credentials()
        if (consumer_key, token_id) != (kept["consumer_key"], kept["token_id"]):
            return None
        return kept["consumer_secret"], kept["token_secret"]

    def certificate(self, kid: str) -> Certificate | None:
        """A registered certificate by its id."""
        return self._registered.get(kid)

    def upload(self, pem: str) -> str:
        """Register a certificate, as on the page for the M2M set-up; returns its id, the ``kid`` of assertions."""
        try:
            certificate = x509.load_pem_x509_certificate(pem.encode())
        except ValueError as error:
            raise _refused("This is no certificate in PEM form.") from error
        self._check(certificate)
        kid = self._kid(pem)
        self._storage.keep_credential(_CERTIFICATE + kid, pem)
        self._registered = self._load()
        return kid

    def revoke(self, kid: str) -> None:
        """Take a certificate back."""
        self._storage.execute("DELETE FROM credential WHERE name = ?", (_CERTIFICATE + kid,))
        self._registered = self._load()

    def _check(self, certificate: x509.Certificate) -> None:
        key = certificate.public_key()
        life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
        if not isinstance(key, PublicKey):
            raise _refused("The key must be RSA or EC.")
        if isinstance(key, rsa.RSAPublicKey) and key.key_size < self._switches.rsa_min_bits:
            raise _refused(f"The RSA key must have at least {self._switches.rsa_min_bits} bits.")
        if life > timedelta(days=self._switches.certificate_max_days):
            raise _refused(
                f"The certificate may be valid for {self._switches.certificate_max_days} days at most."
            )
        if len(self._registered) >= MAX_CERTIFICATES:
            raise _refused(f"An integration record has at most {MAX_CERTIFICATES} active certificates.")

    def _load(self) -> dict[str, Certificate]:
        registered: dict[str, Certificate] = {}
        for name, pem in self._storage.credentials().items():
            if name.startswith(_CERTIFICATE):
                loaded = x509.load_pem_x509_certificate(pem.encode())
                key = loaded.public_key()
                if isinstance(key, PublicKey):
                    life = (loaded.not_valid_before_utc, loaded.not_valid_after_utc)
                    registered[name.removeprefix(_CERTIFICATE)] = Certificate(key, *life)
        return registered

    def _create(self) -> None:
        for name in ("client_id", "consumer_secret", "token_id", "token_secret"):
            self._storage.keep_credential(name, self._token(name))
        self._storage.keep_credential("consumer_key", self._token("client_id"))
        secret = 1 + int(self._token("ec"), 16) % (2**255)
        keys: dict[str, PrivateKey] = {
            "ec": ec.derive_private_key(secret, ec.SECP256R1()),
            "rsa": rsa.generate_private_key(65537, RSA_BITS),
        }
        for name, key in keys.items():
            pem = self._signed(key)
            kid = self._kid(f"{self._seed} {name}")
            self._storage.keep_credential(f"{name}_certificate_id", kid)
            self._storage.keep_credential(_CERTIFICATE + kid, pem)
            self._storage.keep_credential(_KEY + kid, _key_pem(key))

    def _signed(self, key: PrivateKey) -> str:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Twinbook sandbox integration")])
        start = self._clock.now() - timedelta(days=1)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1 + self._seed)
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=VALID_DAYS))
        )
        return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()

    def _token(self, purpose: str) -> str:
        return hashlib.sha256(f"netsuite {self._seed} {purpose}".encode()).hexdigest()

    def _kid(self, text: str) -> str:
        return hashlib.sha256(f"kid {text}".encode()).hexdigest()[:43]


def _key_pem(key: PrivateKey) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def _refused(text: str) -> NetSuiteError:
    return NetSuiteError(400, "INVALID_CERTIFICATE", text)
