"""What every table of the settings file shares: strictness, documentation, and the kinds of value of its own.

The docstring under a field is its documentation everywhere: in the commented file of `twinbook init`, in
docs/settings.md and in the JSON schema.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationInfo
from pydantic_core import PydanticCustomError

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Table(BaseModel):
    """A table of the settings file. Defaults are validated too, so that rules between keys see them."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        str_strip_whitespace=True,
        use_attribute_docstrings=True,
        validate_default=True,
    )


def refusal(problem: str, remedy: str) -> PydanticCustomError:
    """What a validator raises: the value's problem and what to do about it, in plain words."""
    return PydanticCustomError("twinbook", "{problem}", {"problem": problem, "remedy": remedy})


def _beside_the_settings(path: Path, info: ValidationInfo) -> Path:
    directory: Path = (info.context or {}).get("directory", Path())
    return directory / path.expanduser()


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise refusal(f"there is no file {path}", "correct the path; it is relative to the settings file")
    return path


def _without_trailing_slash(url: str) -> str:
    parts = urlsplit(url)
    if not parts.hostname or parts.scheme not in ("http", "https"):
        raise refusal("is not a web address", "write it as https://host")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise refusal("would send secrets unencrypted", "write https:// (http:// is for this machine only)")
    if parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise refusal("has more than a host and a port", f"write {parts.scheme}://host, nothing after it")
    return url.rstrip("/")


def _postgresql(url: SecretStr) -> SecretStr:
    """Only the form is checked. Nothing of the value is told: it may hold a password."""
    try:
        parts = urlsplit(url.get_secret_value())
        complete = (
            parts.scheme in ("postgresql", "postgres") and bool(parts.path.strip("/")) and parts.port != 0
        )
    except ValueError:  # of the port
        complete = False
    if not complete:
        raise refusal(
            "is not the URL of a PostgreSQL database",
            "write postgresql://user:password@host/name; special characters of the password as %XX",
        )
    return url


def _named(names: tuple[str, ...]) -> tuple[str, ...]:
    if any(not name for name in names):
        raise refusal("holds an empty name", "remove it")
    return names


DatabaseUrl = Annotated[SecretStr, AfterValidator(_postgresql)]
FilePath = Annotated[Path, AfterValidator(_beside_the_settings)]
ExistingFile = Annotated[FilePath, AfterValidator(_existing)]
Url = Annotated[str, AfterValidator(_without_trailing_slash)]
Name = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[str, ...], AfterValidator(_named)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
