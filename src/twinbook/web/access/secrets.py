"""What must not be readable in the database: tokens are kept as hashes, other secrets encrypted by the key file."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from twinbook.web.errors import CannotServeError

TOKEN_BYTES = 32


def new_token() -> str:
    """A token that nobody can guess, safe in a URL."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def digest(token: str) -> str:
    """What is kept of a token. It is random and long, so a fast hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


class Sealer:
    """Encrypts short texts so that only this installation can read them."""

    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(key)

    @classmethod
    def from_file(cls, path: Path) -> Sealer:
        """The key of this file, which is made if there is none. Raises `CannotServeError`."""
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        except OSError as error:
            raise CannotServeError(
                f"The key file {path} cannot be made ({error.strerror}). "
                "Name another place with key_file in [web]."
            ) from None
        else:
            with os.fdopen(handle, "wb") as made:
                made.write(Fernet.generate_key())
        try:
            return cls(path.read_bytes().strip())
        except OSError as error:
            raise CannotServeError(
                f"The key file {path} cannot be read ({error.strerror}). Correct its permissions."
            ) from None
        except ValueError:
            raise CannotServeError(
                f"{path} is no key file. Restore your copy of it; without it, stored secrets must be entered anew."
            ) from None

    def seal(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str | None:
        """The text, or None where it was not sealed here."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except (InvalidToken, UnicodeError):
            return None
