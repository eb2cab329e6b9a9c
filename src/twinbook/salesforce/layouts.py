"""What stands on the page layouts that the API shows: those of the integration user's own profile.

Fields and actions that Lightning pages place by themselves (dynamic forms and actions) are not among them: the API
tells of those only to administrators.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twinbook.salesforce.rest import Row, SalesforceRest


@dataclass(frozen=True, slots=True)
class Placed:
    """What at least one of an object's layouts shows. Actions are named `Contact.Push_to_NetSuite`."""

    fields: frozenset[str]
    actions: frozenset[str]


async def placed(rest: SalesforceRest, sobject: str) -> Placed:
    """Raises what calls raise. An object with several record types shows its layouts one by one: that of the user's
    default record type is looked at."""
    told = await rest.layouts(sobject)
    layouts = told.get("layouts")
    if layouts is None:
        usual = next((each for each in _list(told, "recordTypeMappings") if _is_default(each)), None)
        layouts = [] if usual is None else [await rest.layouts(sobject, str(usual["recordTypeId"]))]
    return Placed(
        frozenset(name for layout in layouts for name in _fields(layout)),
        frozenset(name for layout in layouts for name in _actions(layout)),
    )


def _is_default(mapping: Row) -> bool:
    return bool(mapping.get("defaultRecordTypeMapping"))


def _fields(layout: Row) -> Iterator[str]:
    for section in _list(layout, "detailLayoutSections"):
        for row in _list(section, "layoutRows"):
            for item in _list(row, "layoutItems"):
                for component in _list(item, "layoutComponents"):
                    if component.get("type") == "Field":
                        yield str(component.get("value"))


def _actions(layout: Row) -> Iterator[str]:
    for item in _list(layout.get("quickActionList") or {}, "quickActionListItems"):
        yield str(item.get("quickActionName"))


def _list(row: Mapping[str, Any], name: str) -> Sequence[Row]:
    return row.get(name) or ()
