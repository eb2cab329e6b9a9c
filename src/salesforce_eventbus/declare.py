"""Builds protobuf message classes at run time from plain annotated classes.

    class TopicRequest(Message):
        topic_name: Annotated[str, 1] = ""

reads like the .proto it stands for, is understood by type checkers, and needs no code generator. The
descriptors live in a pool of their own, so that they never collide with a generated copy of the same package.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

_Field = descriptor_pb2.FieldDescriptorProto
_MessageT = TypeVar("_MessageT", bound=Message)

INT64 = _Field.TYPE_INT64
"""Second annotation of an `int` field that is wider than int32."""

ABSENT: Any = None
"""Default of a message-typed field: not set."""

_SCALARS = {
    str: _Field.TYPE_STRING,
    bytes: _Field.TYPE_BYTES,
    bool: _Field.TYPE_BOOL,
    int: _Field.TYPE_INT32,
}


class Package:
    """One proto3 package with its own descriptor pool. Each message or enum is a file of its own in it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._pool = descriptor_pool.DescriptorPool()
        self._known: set[str] = set()

    def message(self, declaration: type[_MessageT]) -> type[_MessageT]:
        """The message class for a declaration: every `Annotated[type, number]` attribute becomes a field."""
        file = self._file(declaration.__name__)
        proto = file.message_type.add(name=declaration.__name__)
        hints = get_type_hints(declaration, include_extras=True)
        fields = {name: hint for name, hint in hints.items() if hasattr(hint, "__metadata__")}
        needed = {self._add_field(proto, name, *get_args(hint)) for name, hint in fields.items()}
        file.dependency.extend(sorted(path for path in needed if path))
        self._register(file)
        descriptor = self._pool.FindMessageTypeByName(f"{self.name}.{declaration.__name__}")
        return cast(type[_MessageT], message_factory.GetMessageClass(descriptor))

    def _add_field(
        self, proto: descriptor_pb2.DescriptorProto, name: str, type_: Any, number: int, wider: Any = None
    ) -> str | None:
        """Adds one field; returns the file that it depends on."""
        repeated = get_origin(type_) is Sequence
        inner = get_args(type_)[0] if repeated else type_
        label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
        added = proto.field.add(name=name, number=number, label=label)
        if inner in _SCALARS:
            added.type = wider or _SCALARS[inner]
            return None
        added.type_name = f".{self.name}.{inner.__name__}"
        added.type = _Field.TYPE_MESSAGE
        if issubclass(inner, enum.IntEnum):
            added.type = _Field.TYPE_ENUM
            self._add_enum(inner)
        return self._file(inner.__name__).name

    def _add_enum(self, declaration: type[enum.IntEnum]) -> None:
        file = self._file(declaration.__name__)
        proto = file.enum_type.add(name=declaration.__name__)
        for member in declaration:
            proto.value.add(name=member.name, number=member.value)
        if file.name not in self._known:
            self._register(file)

    def _file(self, name: str) -> descriptor_pb2.FileDescriptorProto:
        path = f"{self.name.replace('.', '/')}/{name}.proto"
        return descriptor_pb2.FileDescriptorProto(name=path, package=self.name, syntax="proto3")

    def _register(self, file: descriptor_pb2.FileDescriptorProto) -> None:
        self._pool.AddSerializedFile(file.SerializeToString())
        self._known.add(file.name)
