"""Switches: dataclasses of behaviours that the control plane shows and sets, each checked by its type."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, get_type_hints

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError

from twinbook_sandbox.core.orders import BadOrderError

_STRICT = ConfigDict(strict=True)


class SwitchBoard:
    """Some dataclasses of switches as one flat table. Their field names must differ."""

    def __init__(self, holders: Sequence[Any]) -> None:
        self._holder_of: dict[str, Any] = {}
        self._type_of: dict[str, TypeAdapter[Any]] = {}
        for holder in holders:
            hints = get_type_hints(type(holder), include_extras=True)
            for switch in fields(holder):
                if switch.name in self._holder_of:
                    raise ValueError(f"two switches are called {switch.name}")
                self._holder_of[switch.name] = holder
                self._type_of[switch.name] = _adapter(hints[switch.name])

    def values(self) -> dict[str, Any]:
        """All switches as they stand, as JSON values."""
        return {
            name: self._type_of[name].dump_python(getattr(holder, name), mode="json")
            for name, holder in self._holder_of.items()
        }

    def set(self, changes: dict[str, Any]) -> None:
        """Set some switches; none is set if one of them will not do (:class:`BadOrderError`)."""
        checked = {name: self._checked(name, value) for name, value in changes.items()}
        for name, value in checked.items():
            setattr(self._holder_of[name], name, value)

    def _checked(self, name: str, value: Any) -> Any:
        if name not in self._holder_of:
            known = ", ".join(sorted(self._holder_of))
            raise BadOrderError(name, "there is no such switch", f"choose one of {known}")
        try:
            return self._type_of[name].validate_python(value)
        except ValidationError as error:
            remedy = "see the switch's type and default in docs/sandbox.md"
            raise BadOrderError(name, error.errors()[0]["msg"], remedy) from error


def _adapter(hint: Any) -> TypeAdapter[Any]:
    try:
        return TypeAdapter(hint, config=_STRICT)
    except PydanticUserError:  # a type that brings its own configuration takes no other
        return TypeAdapter(hint)
