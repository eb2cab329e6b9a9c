"""What is wrong with a settings file, said so that its author can mend it. Values of secrets are never repeated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from twinbook.settings.options import find, is_secret, tables
from twinbook.settings.table import Table

Location = tuple[str | int, ...]

_LONGEST_VALUE_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. `source` is the file, or the environment variable that gave the value."""

    source: str
    key: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        place = f"{self.source}: {self.key}" if self.key else self.source
        return f"{place}: {self.said}"

    @property
    def said(self) -> str:
        """The problem and its remedy, for where the place is plain."""
        remedy = f"{self.remedy[:1].upper()}{self.remedy[1:]}"
        return f"{self.problem}. {remedy}" + ("" if remedy.endswith("?") else ".")


class SettingsError(Exception):
    """The settings cannot be used. `problems` holds all that was found, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def explain(
    error: ValidationError, model: type[Table], file: str, variables: Mapping[Location, str]
) -> list[Problem]:
    """The problems behind a validation error. `variables` names the environment variable that set a key."""
    found: list[Problem] = []
    for detail in error.errors(include_url=False):
        location = detail["loc"]
        said = _said(detail, model, location)
        source = next((name for place, name in variables.items() if _within(place, location)), file)
        found.append(Problem(source, dotted(location), *said))
    return found


def dotted(location: Location) -> str:
    """A place of the file as people write it: connections.default.contacts.rules[0].name."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _within(place: Location, other: Location) -> bool:
    """Whether one of two places lies inside the other. A variable may also name a table that does not exist."""
    return all(one == two for one, two in zip(place, other, strict=False))


def _said(detail: ErrorDetails, model: type[Table], location: Location) -> tuple[str, str]:
    context: dict[str, Any] = detail.get("ctx", {})
    place = find(model, location)
    doc = _doc(place)
    match detail["type"]:
        case "twinbook":
            return context["problem"], context["remedy"]
        case "extra_forbidden":
            return "is not a setting", _did_you_mean(model, location)
        case "missing" | "string_too_short" | "too_short":
            return "is missing" if detail["type"] == "missing" else "is empty", _with_doc("add it", doc)
        case "enum" | "literal_error":
            expected = str(context["expected"]).replace("'", '"')
            return f"{_shown(detail, place)} is not one of its values", f"use {expected}"
        case "model_type" | "model_attributes_type" | "dict_type":
            return "is a value where a table is expected", f"write it as [{dotted(location)}]"
        case "string_pattern_mismatch":
            return f"{_shown(detail, place)} does not have the right form", _with_doc("correct it", doc)
        case _:
            wanted = detail["msg"].replace("Input should be", "it must be")
            return f"{_shown(detail, place)} does not fit: {wanted[:1].lower()}{wanted[1:]}", _with_doc(
                "correct it", doc
            )


def _doc(place: FieldInfo | type[Table] | None) -> str:
    text = place.description if isinstance(place, FieldInfo) else place.__doc__ if place else None
    return " ".join((text or "").split()).rstrip(".")


def _with_doc(remedy: str, doc: str) -> str:
    return f"{remedy}: {_lower(doc)}" if doc else remedy


def _lower(text: str) -> str:
    """The text as it goes on after a colon. Words in capitals (API, PEM) stay."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def _shown(detail: ErrorDetails, place: FieldInfo | type[Table] | None) -> str:
    value = detail["input"]
    if isinstance(place, FieldInfo) and not is_secret(place) and isinstance(value, str | int | float | bool):
        return repr(value)[:_LONGEST_VALUE_SHOWN]
    return "the value"


def _did_you_mean(model: type[Table], location: Location) -> str:
    """The key that was probably meant: a similar one of this table, or the same one of another table."""
    wrong = str(location[-1])
    table = find(model, location[:-1])
    siblings = list(table.model_fields) if isinstance(table, type) else []
    if close := get_close_matches(wrong, siblings, n=1):
        return f"did you mean {close[0]}?"
    if elsewhere := sorted(_tables_with(model, wrong)):
        return f"did you mean to put it into [{elsewhere[0]}]?"
    return f"remove it; known here: {', '.join(siblings)}"


def _tables_with(model: type[Table], name: str) -> Iterator[str]:
    for table in tables(model):
        if table.path and any(option.name == name for option in table.options):
            yield ".".join(table.path)
