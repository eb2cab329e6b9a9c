"""Shapes of answers: which names, of which types, in which order. Facts about an interface, without any value of it.

A shape is "text", "number", "boolean" or "null", several of them joined by "|", a list with the shape of all its
items, or a table of shapes in which a name that may be missing ends in "?".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

FLAGS = (
    *(
        "nillable",
        "createable",
        "updateable",
        "unique",
        "externalId",
        "idLookup",
        "caseSensitive",
        "calculated",
    ),
    *("nameField", "filterable", "sortable", "groupable", "defaultedOnCreate"),
)
FOLDER = Path(__file__).parent / "shapes"
Shape = Any


def recorded(name: str) -> Any:
    """The content of a shape file."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def shape_of(value: Any) -> Shape:
    if isinstance(value, Mapping):
        return {name: shape_of(item) for name, item in value.items()}
    if isinstance(value, list):
        return [reduce(merged, map(shape_of, value))] if value else []
    kinds = {str: "text", bool: "boolean", int: "number", float: "number", type(None): "null"}
    return kinds[type(value)]


def parts_of(answer: Any) -> Shape:
    """The shape of an answer; of a composite one, the shapes of its parts in their order."""
    parts = answer.get("compositeResponse") if isinstance(answer, Mapping) else None
    return shape_of(answer) if parts is None else list(map(shape_of, parts))


def field_facts(field: Mapping[str, Any]) -> str:
    """What a describe says of a field, in a line: type, length, what it refers to or is part of, and its flags."""
    flags = [name for name in FLAGS if field.get(name)]
    whose = [*field["referenceTo"], *filter(None, [field["relationshipName"], field["compoundFieldName"]])]
    return " ".join([field["type"], field["soapType"], str(field["length"]), *whose, *flags])


def merged(one: Shape, other: Shape) -> Shape:
    """The shape that both have."""
    if isinstance(one, dict) and isinstance(other, dict):
        return _merged_tables(one, other)
    if isinstance(one, list) and isinstance(other, list):
        return [reduce(merged, [*one, *other])] if one or other else []
    if isinstance(one, str) and isinstance(other, str):
        return "|".join(sorted({*one.split("|"), *other.split("|")}))
    return one if other == "null" else other if one == "null" else f"{one} or {other}"


def _merged_tables(one: dict[str, Shape], other: dict[str, Shape]) -> dict[str, Shape]:
    plain = ({name.rstrip("?"): item for name, item in table.items()} for table in (one, other))
    first, second = plain
    always = set(one) & set(other)
    table: dict[str, Shape] = {}
    for name in dict.fromkeys([*first, *second]):
        both = name in first and name in second
        item = merged(first[name], second[name]) if both else first.get(name, second.get(name))
        table[name if name in always else f"{name}?"] = item
    return table


def differences(expected: Shape, found: Shape, place: str = "answer") -> Iterator[str]:
    """What does not fit. `null`, an empty list and a name that may be missing fit anything that was recorded."""
    if expected == found or found in ("null", []) or expected in ("null", []):
        return
    if isinstance(expected, dict) and isinstance(found, dict):
        names = {name.rstrip("?"): item for name, item in expected.items()}
        yield from (f"{place}.{name} is missing" for name in names if name not in found and name in expected)
        for name, item in found.items():
            if name not in names:
                yield f"{place}.{name} is not in the recording"
            else:
                yield from differences(names[name], item, f"{place}.{name}")
    elif isinstance(expected, list) and isinstance(found, list):
        yield from differences(expected[0], found[0], f"{place}[]")
    elif not (isinstance(expected, str) and isinstance(found, str) and _fits(expected, found)):
        yield f"{place} is {found!r}, recorded was {expected!r}"


def _fits(expected: str, found: str) -> bool:
    return set(found.split("|")) <= {*expected.split("|"), "null"}


def avro_shape(schema: Mapping[str, Any]) -> list[list[str]]:
    """The fields of a change event in their order: name, type, and what `doc` says without the id of a field."""
    return [[field["name"], _avro_type(field["type"]), *_doc(field)] for field in schema["fields"]]


def _avro_type(type_: Any) -> str:
    if isinstance(type_, str):
        return type_
    if isinstance(type_, list):
        return " | ".join(map(_avro_type, type_))
    if type_["type"] == "record":
        parts = ", ".join(f"{part['name']}: {_avro_type(part['type'])}" for part in type_["fields"])
        return f"{type_['name']}({parts})"
    if type_["type"] == "enum":
        return f"{type_['name']}{{{', '.join(type_['symbols'])}}}"
    return f"{_avro_type(type_['items'])}[]"


def _doc(field: Mapping[str, Any]) -> Sequence[str]:
    return [":".join(field["doc"].split(":")[:2])] if "doc" in field else []
