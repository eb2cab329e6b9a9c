"""Two connections side by side: how their settings differ, and carrying those of one over to the other.

What says *which* org and account are meant, and how to log in there, belongs to each connection and is never carried
over. Everything else is behaviour, tried out in a sandbox and then promoted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from twinbook.settings.editing import Place, SettingsFile
from twinbook.settings.model import ConnectionSettings
from twinbook.settings.options import TableOptions, tables

CONNECTIONS: Final = "connections"
ENVIRONMENT: Final = frozenset(
    {
        *(
            ("salesforce", name)
            for name in (
                "login_url",
                "auth",
                "client_id",
                "username",
                "private_key_file",
                "private_key",
                "audience",
                "client_secret",
                "api_version",
                "pubsub_endpoint",
                "pubsub_tls",
                "ca_file",
                "verify_tls",
            )
        ),
        *(
            ("netsuite", name)
            for name in (
                "account_id",
                "base_url",
                "auth",
                "client_id",
                "certificate_id",
                "private_key_file",
                "private_key",
                "tba_consumer_key",
                "tba_consumer_secret",
                "tba_token_id",
                "tba_token_secret",
                "ca_file",
                "verify_tls",
                "concurrency",
            )
        ),
        ("ping", "secret"),
        ("ping", "previous_secret"),
    }
)
"""Keys that belong to one org, one account and one login."""

INTERNAL_IDS: Final = frozenset(
    {
        ("contacts", "role_map"),
        ("accounts", "subsidiary_id"),
        ("accounts", "subsidiary_rules"),
        ("accounts", "customer_status_id"),
    }
)
"""Keys that name NetSuite records by internal id, which may be another record in another account."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that two connections have in different ways. None: it is not in the file, so its default counts."""

    place: Place
    source: Any
    target: Any

    @property
    def names_internal_ids(self) -> bool:
        return self.place in INTERNAL_IDS


def differences(file: SettingsFile, source: str, target: str) -> list[Difference]:
    """How the target's settings differ from the source's, environment left out, in the order of the settings.

    The file is compared as it stands: what the environment overrides is no matter of promotion.
    """
    return [
        Difference(place, here, there)
        for place, default in promotable()
        if (here := file.get((CONNECTIONS, source, *place)))
        != (there := file.get((CONNECTIONS, target, *place)))
        and _or(here, default) != _or(there, default)
    ]


def promote(file: SettingsFile, source: str, target: str) -> list[Difference]:
    """Make the target's settings those of the source in the edited file; returns what was changed."""
    changed = differences(file, source, target)
    for difference in changed:
        place = (CONNECTIONS, target, *difference.place)
        if difference.source is None:
            file.remove(place)
        else:
            file.put(place, difference.source)
    return changed


def behaviour() -> Iterator[TableOptions]:
    """The tables of a connection without what belongs to its environment, and without secrets."""
    for table in tables(ConnectionSettings):
        options = tuple(
            option
            for option in table.options
            if not option.secret and (*table.path, option.name) not in ENVIRONMENT
        )
        if options:
            yield replace(table, options=options)


def promotable() -> Iterator[tuple[Place, Any]]:
    """Every key of a connection that is no matter of its environment, with its default as the file would say it."""
    for table in behaviour():
        if table.rows:
            yield table.path, []
        else:
            for option in table.options:
                yield (*table.path, option.name), as_written(option.default)


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value


def as_written(default: Any) -> Any:
    """A default in the words of the file."""
    if isinstance(default, tuple):
        return [as_written(item) for item in default]
    if isinstance(default, Mapping):
        return dict(default)
    return str(default) if isinstance(default, str) else default
