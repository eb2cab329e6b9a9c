"""Settings from environment variables: TWINBOOK_CONNECTIONS__DEFAULT__SALESFORCE__CLIENT_SECRET and its like.

A variable is the key's path in capitals, joined by two underscores. Text, numbers and truth values are written as
they are, lists and tables as in TOML. The environment is passed in, and a variable that cannot be a setting is
refused rather than overlooked; that is why this is not left to pydantic-settings.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from typing import Any

from twinbook.settings.problems import Location, Problem

PREFIX = "TWINBOOK_"
_JOINT = "__"


def given(environ: Mapping[str, str], tables: Collection[str]) -> tuple[dict[Location, Any], list[Problem]]:
    """Values by their place, and the variables that look like settings but cannot be read.

    `tables` are the top-level tables. Variables of other names (container platforms set some of their own, such as
    TWINBOOK_PORT) are not settings.
    """
    values: dict[Location, Any] = {}
    problems: list[Problem] = []
    for variable, text in sorted(environ.items()):
        if not variable.startswith(PREFIX):
            continue
        name = variable.removeprefix(PREFIX).lower()
        parts = name.split(_JOINT)
        if len(parts) > 1 and all(parts):
            try:
                values[tuple(parts)] = _value(text)
            except (tomllib.TOMLDecodeError, RecursionError):
                problems.append(
                    Problem(variable, "", "is no list or table", 'write it as in TOML: ["a", "b"]')
                )
        elif name.split("_")[0] in tables:
            remedy = "put two underscores between tables and keys, such as TWINBOOK_STORE__PATH"
            problems.append(Problem(variable, "", "is not a setting", remedy))
    return values, problems


def variable_for(location: Location) -> str:
    """The environment variable that sets the key at this place."""
    return PREFIX + _JOINT.join(str(part).upper() for part in location)


def _value(text: str) -> Any:
    return tomllib.loads(f"value = {text}")["value"] if text.lstrip()[:1] in ("[", "{") else text
