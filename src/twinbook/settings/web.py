"""The dashboard: where it listens, under which address people reach it, and for how long they stay signed in."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from twinbook.settings.table import FilePath, Names, Table, Url, refusal

_ANYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - recognised, not bound to
_MOST_DAYS_IN_HOURS = 24 * 30


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
