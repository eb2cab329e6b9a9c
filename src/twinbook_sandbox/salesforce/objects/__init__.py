"""The objects of the emulated org (salesforce.md 6), and which of their fields exist in a given set-up."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace
from types import MappingProxyType

from twinbook_sandbox.salesforce.objects.account import ACCOUNT
from twinbook_sandbox.salesforce.objects.contact import CONTACT
from twinbook_sandbox.salesforce.objects.relations import (
    ACCOUNT_CONTACT_RELATION,
    ACCOUNT_CONTACT_ROLE,
    OPPORTUNITY_CONTACT_ROLE,
)
from twinbook_sandbox.salesforce.objects.sales import OPPORTUNITY, QUOTE
from twinbook_sandbox.salesforce.objects.setup import ORGANIZATION, USER
from twinbook_sandbox.salesforce.schema import Feature, Field, ObjectSchema

ALL_OBJECTS = (
    ORGANIZATION,
    USER,
    ACCOUNT,
    CONTACT,
    OPPORTUNITY,
    QUOTE,
    ACCOUNT_CONTACT_RELATION,
    ACCOUNT_CONTACT_ROLE,
    OPPORTUNITY_CONTACT_ROLE,
)
"""With every feature on, parents before children."""


def schemas_with(features: Set[Feature], person_name_order: str) -> Mapping[str, ObjectSchema]:
    """The objects by name, in a set-up with these features.

    `person_name_order` lists the parts of a person's name as they follow each other in change events,
    separated by blanks (an open point of salesforce.md 11.5).
    """
    order = {name: position for position, name in enumerate(person_name_order.split())}
    return MappingProxyType({each.name: _in_set_up(each, features, order) for each in ALL_OBJECTS})


def _in_set_up(schema: ObjectSchema, features: Set[Feature], order: Mapping[str, int]) -> ObjectSchema:
    present = [each for each in schema.fields if each.needs <= features]
    names = iter(sorted((f for f in present if f.compound == "Name"), key=lambda f: order[f.name]))
    fields: list[Field] = [next(names) if each.compound == "Name" else each for each in present]
    return replace(schema, fields=tuple(fields))
