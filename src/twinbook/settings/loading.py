"""Reading the settings: one TOML file, and over it the environment."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from twinbook.settings import environment
from twinbook.settings.model import Settings
from twinbook.settings.problems import Location, Problem, SettingsError, dotted, explain


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """The settings of a file, overridden by the environment. Paths in it are relative to the file.

    Raises `SettingsError` with every problem that was found.
    """
    return validate(parse(read(path), path), path, environ)


def validate(values: dict[str, Any], path: Path, environ: Mapping[str, str]) -> Settings:
    """The settings that these values of a file are, overridden by the environment; `values` is changed by that."""
    overrides, problems = environment.given(environ, Settings.model_fields)
    variables: dict[Location, str] = {}
    for location, value in overrides.items():
        if refused := _put(values, location, value):
            problems.append(refused)
        else:
            variables[location] = environment.variable_for(location)
    # Defaults that hold a path are resolved only where the table is validated, so the tables must be there.
    for table in ("store", "web"):
        values.setdefault(table, {})
    try:
        settings = Settings.model_validate(values, context={"directory": path.parent})
    except ValidationError as error:
        raise SettingsError(problems + explain(error, Settings, path.name, variables)) from None
    if problems:
        raise SettingsError(problems)
    return settings


def read(path: Path) -> str:
    """The text of a settings file. Raises `SettingsError`."""
    try:
        # Some editors begin a file with a byte order mark, which TOML does not know.
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        problem, remedy = "there is no such file", "write one with: twinbook init"
    except OSError as error:
        problem, remedy = f"cannot be read ({error.strerror})", "check the path and its permissions"
    except UnicodeDecodeError:
        problem, remedy = "is not UTF-8 text", "save it as UTF-8"
    raise SettingsError([Problem(str(path), "", problem, remedy)])


def parse(text: str, path: Path) -> dict[str, Any]:
    """The values in the text of a settings file. Raises `SettingsError`."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problem, remedy = f"is not valid TOML: {error}", "correct that line; text needs quotes"
    except RecursionError:
        problem, remedy = (
            "is nested too deeply",
            "settings are two or three tables deep; see docs/settings.md",
        )
    raise SettingsError([Problem(str(path), "", problem, remedy)])


def _put(values: dict[str, Any], location: Location, value: Any) -> Problem | None:
    table = values
    for depth, part in enumerate(location[:-1], start=1):
        inner = table.setdefault(str(part), {})
        if not isinstance(inner, dict):
            problem = f"{dotted(location[:depth])} is not a table in the file"
            remedy = "set the whole key, or change the file"
            return Problem(environment.variable_for(location), "", problem, remedy)
        table = inner
    table[str(location[-1])] = value
    return None
