"""Letting NetSuite say that something changed: the table `ping` of a connection."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from twinbook.settings.table import Table, refusal

# Shorter ones could be guessed; a generated one has 43 characters.
SHORTEST_SECRET = 32

Secret = Annotated[SecretStr, Field(min_length=SHORTEST_SECRET, max_length=256)]


class PingSettings(Table):
    """Signed messages of the scripts in NetSuite that a record changed, so that nobody waits for the next poll.

    Off unless there is a secret. To change it, move it to `previous_secret`, set a new one here and in NetSuite, and
    take the previous one away when NetSuite uses the new one.
    """

    secret: Secret | None = None
    """The secret that the scripts in NetSuite sign with; at least 32 characters, better in the environment."""
    previous_secret: Secret | None = None
    """A secret that is accepted too, while it is being replaced."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """All that are accepted; empty where pings are off."""
        given = (self.secret, self.previous_secret)
        return tuple(secret.get_secret_value() for secret in given if secret is not None)

    @field_validator("previous_secret")
    @classmethod
    def _beside_a_secret(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if value is not None and info.data.get("secret") is None:
            raise refusal("there is no secret that it precedes", "give secret too, or remove it")
        return value
