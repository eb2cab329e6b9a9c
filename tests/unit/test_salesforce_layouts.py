"""What stands on page layouts, in the shapes that the REST guide documents."""

from __future__ import annotations

from typing import Any, cast

from twinbook.salesforce.layouts import Placed, placed
from twinbook.salesforce.rest import SalesforceRest

ACTION = "Contact.Push_to_NetSuite"


def layout(*fields: str, actions: tuple[str, ...] = ()) -> dict[str, Any]:
    separator = {"layoutComponents": [{"type": "Separator", "value": ","}]}
    items = [{"layoutComponents": [{"type": "Field", "value": name}]} for name in fields]
    return {
        "detailLayoutSections": [
            {"layoutRows": [{"layoutItems": [*items, separator, {"layoutComponents": []}]}]}
        ],
        "quickActionList": {"quickActionListItems": [{"quickActionName": name} for name in actions]},
    }


class Org:
    """Answers for an object without record types, or with them."""

    def __init__(self, told: dict[str, Any], by_record_type: dict[str, Any] | None = None) -> None:
        self._told, self._by_record_type = told, by_record_type or {}

    async def layouts(self, _sobject: str, record_type: str | None = None) -> Any:
        return self._told if record_type is None else self._by_record_type[record_type]


async def found(org: Org) -> Placed:
    return await placed(cast(SalesforceRest, org), "Contact")


async def test_an_object_with_one_layout() -> None:
    org = Org({"layouts": [layout("LastName", "Phone", actions=(ACTION,))], "recordTypeMappings": []})
    assert await found(org) == Placed(frozenset({"LastName", "Phone"}), frozenset({ACTION}))


async def test_with_several_record_types_the_layout_of_the_usual_one_is_asked_for() -> None:
    mappings = [
        {"recordTypeId": "012A", "defaultRecordTypeMapping": False},
        {"recordTypeId": "012B", "defaultRecordTypeMapping": True},
    ]
    org = Org({"layouts": None, "recordTypeMappings": mappings}, {"012B": layout("Phone")})
    assert await found(org) == Placed(frozenset({"Phone"}), frozenset())


async def test_a_user_without_a_layout_sees_nothing_on_it() -> None:
    assert await found(Org({"layouts": None, "recordTypeMappings": []})) == Placed(frozenset(), frozenset())
    assert await found(Org({"layouts": [{"quickActionList": None}]})) == Placed(frozenset(), frozenset())
