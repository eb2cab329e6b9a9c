"""The dashboard: where it listens, under which address people reach it, and for how long they stay signed in."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from twinbook.settings.table import FilePath, Names, Table, Url, refusal

_ANYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - recognised, not bound to
_MOST_DAYS_IN_HOURS = 24 * 30


class OidcSettings(Table):
    """Single sign-on with OpenID Connect (Entra ID, Okta, Google, Keycloak …). Off unless there is an issuer.

    The address to allow there is base_url followed by /sign-in/oidc/callback. Whoever comes in this way has the role
    that their groups give them, anew at each sign-in.
    """

    issuer: str | None = None
    """The provider's issuer, such as https://login.acme.com/realms/acme, without /.well-known."""
    client_id: str = ""
    """The client id that the provider gave to Twinbook."""
    client_secret: SecretStr | None = None
    """The secret that belongs to it, if the provider gave one; better in the environment."""
    label: Annotated[str, Field(min_length=1, max_length=60)] = "Single sign-on"
    """What stands on the button."""
    groups_claim: Annotated[str, Field(min_length=1, max_length=200)] = "groups"
    """The claim of the id token that lists a person's groups or roles."""
    administrators: Names = ()
    """Groups whose members are administrators."""
    operators: Names = ()
    """Groups whose members are operators."""
    viewers: Names = ()
    """Groups whose members are viewers; empty for everybody whom the provider lets in."""

    @field_validator("issuer")
    @classmethod
    def _is_safe(cls, issuer: str | None) -> str | None:
        if issuer is None:
            return None
        parts = urlsplit(issuer)
        local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
        if not parts.hostname or not (parts.scheme == "https" or local):
            raise refusal(
                "is no https address", "write it as https://login.acme.com/…, as the provider names it"
            )
        return issuer.rstrip("/")

    @model_validator(mode="after")
    def _has_a_client(self) -> OidcSettings:
        if self.issuer is not None and not self.client_id:
            raise refusal("there is an issuer and no client_id", "add the client_id that the provider gave")
        return self


class WebSettings(Table):
    """The dashboard and the API. `twinbook run` serves them, `twinbook web` does so in a process of its own."""

    enabled: bool = True
    """Whether `twinbook run` serves the dashboard."""
    host: Annotated[str, Field(min_length=1, max_length=255)] = "127.0.0.1"
    """Address to listen on. The default is reachable from this machine only."""
    port: Annotated[int, Field(ge=0, le=65_535)] = 8765
    """Port to listen on; 0 takes any free one and says which."""
    base_url: Url | None = None
    """Address at which people reach it through a proxy, such as https://twinbook.acme.com; links are made of it."""
    trusted_proxies: Names = ()
    """Addresses or networks of the proxies whose word is taken for the caller's address and for https."""
    session_hours: Annotated[float, Field(gt=0, le=_MOST_DAYS_IN_HOURS)] = 12
    """Hours without a visit after which people must sign in again."""
    requests_per_minute: Annotated[int, Field(ge=10, le=100_000)] = 600
    """Most requests to the API that one caller may make in a minute; a tenth of them at once."""
    key_file: FilePath = Path("twinbook.key")
    """Key that secrets and search terms are encrypted with. Made at the first start; keep a copy of it elsewhere."""

    oidc: OidcSettings = OidcSettings()

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            try:
                ip_network(proxy, strict=False)
            except ValueError:
                raise refusal(
                    f"{proxy} is no address or network", "write it as 10.0.0.5 or 10.0.0.0/8"
                ) from None
        return proxies

    @property
    def public_url(self) -> str:
        """Where people find the dashboard, as far as the settings tell."""
        host = "127.0.0.1" if self.host in _ANYWHERE else self.host
        return self.base_url or f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
