"""The settings of an installation, as one tree of typed tables. `twinbook.settings.loading` reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationInfo, field_validator, model_validator

from twinbook.settings.contacts import AccountSettings, ContactSettings
from twinbook.settings.ping import PingSettings
from twinbook.settings.presets import ID_FIELDS, Preset
from twinbook.settings.systems import NetSuiteSettings, SalesforceSettings
from twinbook.settings.table import DatabaseUrl, FilePath, Seconds, Table, refusal
from twinbook.settings.web import WebSettings

ConnectionName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=40)]


Days = Annotated[int, Field(ge=1, le=36_500)]


class StoreSettings(Table):
    """Where Twinbook keeps its links, its queue and its history: an SQLite file, or a PostgreSQL database."""

    path: FilePath = Path("twinbook.db")
    """SQLite file, relative to the settings file; for one process on one machine."""
    url: DatabaseUrl | None = None
    """PostgreSQL database instead of the file, as postgresql://user:password@host/name; for several workers."""

    @model_validator(mode="before")
    @classmethod
    def _file_or_database(cls, values: Any) -> Any:
        if isinstance(values, dict) and {"path", "url"} <= values.keys():
            raise refusal("names both a file (path) and a database (url)", "remove one of the two")
        return values


class LogSettings(Table):
    """What is logged to standard error. Secrets and personal data never are."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least important kind of message to log."""
    format: Literal["console", "json"] = "console"
    """Lines for people, or one JSON object a line for machines."""


class RetrySettings(Table):
    """Pauses between the tries after a temporary failure: doubled each time, with jitter, for as long as it takes."""

    base_seconds: Seconds = 1
    """Pause after the first failure."""
    cap_seconds: Seconds = 900
    """Longest pause."""

    @field_validator("cap_seconds")
    @classmethod
    def _not_below_base(cls, cap: float, info: ValidationInfo) -> float:
        if cap < info.data.get("base_seconds", cap):
            raise refusal("is below base_seconds", "raise it, or lower base_seconds")
        return cap


class LimitSettings(Table):
    """How much is done at once, and when a flow stops for a person to look.

    The `stop_deletes_` limits are safety valves: when more linked contacts than both turn out to be deleted within an
    hour, or in a sweep, the flow stops with `SAFETY_STOP` until a person confirms with `twinbook resume --confirm`. The
    `stop_changes_` limits do the same for a sweep that would change more links than both.
    """

    batch_size: Annotated[int, Field(ge=1, le=200)] = 200
    """Most contacts that a lane takes at once. Salesforce writes at most 200 records a call."""
    stop_deletes_percent: Annotated[float, Field(gt=0, le=100)] = 5
    """More deletes within an hour than this share of the links stop the flow."""
    stop_deletes_above: Annotated[int, Field(ge=0)] = 20
    """So many deletes within an hour never stop it."""
    stop_changes_percent: Annotated[float, Field(gt=0, le=100)] = 50
    """A sweep that would change more than this share of the links stops the flow."""
    stop_changes_above: Annotated[int, Field(ge=0)] = 20
    """So many changes in a sweep never stop it."""
    reserve_percent: Annotated[float, Field(ge=0, le=90)] = 20
    """Share of Salesforce's daily API requests that is kept for people and other integrations. Below it sweeps and
    back-fill rest; below half of it live edits are gathered and go out more slowly."""

    debounce_seconds: Annotated[float, Field(ge=0, le=3600)] = 0
    """Wait so long after an edit for the next one of the same record, so that a burst of edits is one change. By hand
    (`twinbook push`) nothing waits."""
    debounce_longest_seconds: Annotated[float, Field(ge=1, le=86_400)] = 60
    """A record that is edited again and again goes out after this time all the same."""


class SweepSettings(Table):
    """The comparison of both systems from end to end, which finds whatever no event has told.

    It begins by itself once a first back-fill is done. `twinbook sweep` runs one by hand, `twinbook drift` shows what
    was found.
    """

    nightly: bool = True
    """Sweep once a day. Off: only by hand."""
    hour: Annotated[int, Field(ge=0, le=23)] = 2
    """Hour of the day at which it begins, in the time zone of the machine. A sweep that was missed is made up for."""
    repair: bool = True
    """Put right what differs, by the same rules as every other change. Off: only report it."""
    thorough_days: Annotated[int, Field(ge=1, le=365)] = 7
    """After so many days a sweep compares all values, also of contacts whose time of modification did not move."""


class RetentionSettings(Table):
    """How long finished things are kept. Links, what waits, and open errors are kept as long as they last."""

    journal_days: Days = 730
    """History: what was written, with the values before and after. `twinbook undo` reaches no further back."""
    incident_days: Days = 180
    """Errors that are closed."""
    run_days: Days = 365
    """Back-fills that are done."""
    drift_days: Days = 90
    """Sweeps that are done, with the drift they found."""


class ConnectionSettings(Table):
    """One Salesforce org paired with one NetSuite account."""

    preset: Preset = Preset.TWINBOOK
    """Whose id fields to use, so that links made by another product are kept."""
    salesforce: SalesforceSettings
    netsuite: NetSuiteSettings
    contacts: ContactSettings = ContactSettings()
    accounts: AccountSettings = AccountSettings()
    ping: PingSettings = PingSettings()
    retry: RetrySettings = RetrySettings()
    limits: LimitSettings = LimitSettings()
    sweep: SweepSettings = SweepSettings()
    retention: RetentionSettings = RetentionSettings()

    @model_validator(mode="before")
    @classmethod
    def _id_fields_of_the_preset(cls, values: Any) -> Any:
        """An id field that is not given is the preset's. Malformed values are left for the fields to refuse."""
        if not isinstance(values, dict) or values.get("preset") not in list(Preset):
            return values
        fields = ID_FIELDS[Preset(values["preset"])]
        sides = {"salesforce": fields.salesforce, "netsuite": fields.netsuite}
        return values | {
            side: {"id_field": field} | values[side]
            for side, field in sides.items()
            if isinstance(values.get(side), dict)
        }


class Settings(Table):
    """All settings of an installation."""

    store: StoreSettings
    log: LogSettings = LogSettings()
    web: WebSettings = WebSettings()
    connections: Annotated[dict[ConnectionName, ConnectionSettings], Field(min_length=1)]
    """An installation may hold several connections; most have one, named default."""
