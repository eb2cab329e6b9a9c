"""The settings as a list: every key with its kind, default and documentation, read from the models.

The commented file, docs/settings.md and the error messages are made from this one list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from twinbook.settings.table import Table

ANY_NAME = "<name>"
Shape = Literal["single", "named", "rows"]
Form = Literal["one", "list", "table"]

_COLLECTIONS: tuple[tuple[type, int, Shape], ...] = ((tuple, 0, "rows"), (dict, 1, "named"))
_PLAIN = {
    str: "text",
    Path: "file",
    SecretStr: "secret",
    bool: "true or false",
    int: "number",
    float: "number",
}


@dataclass(frozen=True, slots=True)
class Option:
    """One key of a table.

    `kind` says in words which values it takes; `choices` are all of them where only some do. `form` tells one value
    from a list of them and from a table of them. `default` is None where there is none.
    """

    name: str
    kind: str
    choices: tuple[str, ...]
    form: Form
    default: Any
    required: bool
    secret: bool
    doc: str


@dataclass(frozen=True, slots=True)
class TableOptions:
    """One table and its own keys. `path` has `<name>` where the user chooses; `rows` marks an array of tables."""

    path: tuple[str, ...]
    doc: str
    options: tuple[Option, ...]
    rows: bool = False


def tables(
    model: type[Table], path: tuple[str, ...] = (), *, rows: bool = False, purpose: str = ""
) -> Iterator[TableOptions]:
    """The table of this model and all below it, in the order of their declaration.

    `purpose` is the documentation of the field that holds the table; it stands before the model's own.
    """
    nested = []
    options: list[Option] = []
    for name, info in model.model_fields.items():
        below = nested_table(info)
        if below is None:
            options.append(_option(name, info))
        else:
            table, shape = below
            place = (*path, name, ANY_NAME) if shape == "named" else (*path, name)
            nested.append(tables(table, place, rows=shape == "rows", purpose=info.description or ""))
    doc = " ".join(f"{purpose} {model.__doc__ or ''}".split())
    yield TableOptions(path, doc, tuple(options), rows)
    for below_this in nested:
        yield from below_this


def nested_table(info: FieldInfo) -> tuple[type[Table], Shape] | None:
    """The table that a field holds, and whether it is one, several by name, or an array; None for a plain value."""
    kind = _bare(info.annotation)
    if isinstance(kind, type) and issubclass(kind, Table):
        return kind, "single"
    for collection, position, shape in _COLLECTIONS:
        inner = _bare(get_args(kind)[position]) if get_origin(kind) is collection else None
        if isinstance(inner, type) and issubclass(inner, Table):
            return inner, shape
    return None


def find(model: type[Table], location: tuple[str | int, ...]) -> FieldInfo | type[Table] | None:
    """What stands at a place of the file: a field, a table, or None where the models know no such place.

    Parts below a plain value (an index, a key of `lookup`) belong to that value.
    """
    table: type[Table] = model
    parts = list(location)
    while parts:
        name = parts.pop(0)
        info = table.model_fields.get(str(name))
        if info is None:
            return None
        below = nested_table(info)
        if below is None:
            return info
        table, shape = below
        if shape != "single" and parts:
            parts.pop(0)
    return table


def is_secret(info: FieldInfo) -> bool:
    return SecretStr in _alternatives(info.annotation)


def _option(name: str, info: FieldInfo) -> Option:
    required = info.is_required()
    default = None if required else info.get_default(call_default_factory=True)
    return Option(
        name,
        _kind(info.annotation),
        tuple(dict.fromkeys(_choices(info.annotation))),
        _form(info.annotation),
        default,
        required,
        is_secret(info),
        " ".join((info.description or "").split()),
    )


def _form(annotation: Any) -> Form:
    origins = [get_origin(kind) for kind in _alternatives(annotation)]
    return "list" if tuple in origins else "table" if dict in origins else "one"


def _choices(annotation: Any) -> Iterator[str]:
    for kind in _alternatives(annotation):
        if get_origin(kind) is tuple:
            yield from _choices(get_args(kind)[0])
        elif get_origin(kind) is Literal:
            yield from map(str, get_args(kind))
        elif isinstance(kind, type) and issubclass(kind, Enum):
            yield from (str(member.value) for member in kind)


def _kind(annotation: Any) -> str:
    words: list[str] = []
    for kind in _alternatives(annotation):
        if get_origin(kind) is tuple:
            words.append(f"list of {_kind(get_args(kind)[0])}")
        elif get_origin(kind) is dict:
            words.append("table of values")
        elif choices := list(_choices(kind)):
            words.extend(f'"{value}"' for value in choices)
        else:
            words.append(_PLAIN[kind])
    return " / ".join(dict.fromkeys(words))


def _alternatives(annotation: Any) -> list[Any]:
    """The kinds of value that a field takes, without None and without constraints."""
    kind = _bare(annotation)
    if get_origin(kind) in (Union, UnionType):
        return [part for choice in get_args(kind) if choice is not NoneType for part in _alternatives(choice)]
    return [kind]


def _bare(annotation: Any) -> Any:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation
