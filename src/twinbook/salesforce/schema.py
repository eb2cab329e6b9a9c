"""What this org has: fields, features and role objects, asked once at the start (salesforce.md 4.6, 6).

Queries name only what the org has and the integration user may see; nothing is found out by failing. Fields
without field-level security are absent from a describe, exactly like fields that do not exist.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from twinbook.domain.errors import PermanentError
from twinbook.domain.ports import FieldMeta, Schema
from twinbook.domain.records import Entity
from twinbook.salesforce.auth import Token
from twinbook.salesforce.config import SalesforceConfig
from twinbook.salesforce.rest import SalesforceRest

SOBJECTS: Final[Mapping[Entity, str]] = {
    Entity.CONTACT: "Contact",
    Entity.ACCOUNT: "Account",
    Entity.OPPORTUNITY: "Opportunity",
    Entity.QUOTE: "Quote",
    Entity.ACCOUNT_CONTACT_RELATION: "AccountContactRelation",
    Entity.ACCOUNT_CONTACT_ROLE: "AccountContactRole",
    Entity.OPPORTUNITY_CONTACT_ROLE: "OpportunityContactRole",
}


@dataclass(frozen=True, slots=True)
class RoleSource:
    """Where a contact's roles stand: a child relationship of Contact, and the field that holds the role.

    `parent` leads from there to what has the account (`AccountId`, `Account`), "" where that is the child itself.
    `flags` are its checkboxes that say what the relation is worth (salesforce.md 6.4).
    """

    entity: Entity
    relationship: str
    field: str
    parent: str = ""
    flags: tuple[str, ...] = ()


ROLE_SOURCES: Final = (
    RoleSource(Entity.ACCOUNT_CONTACT_ROLE, "AccountContactRoles", "Role", flags=("IsPrimary",)),
    RoleSource(Entity.ACCOUNT_CONTACT_RELATION, "AccountContactRelations", "Roles", flags=("IsActive",)),
    RoleSource(Entity.OPPORTUNITY_CONTACT_ROLE, "OpportunityContactRoles", "Role", "Opportunity."),
)

WON_OPPORTUNITIES: Final = "Opportunities"
QUOTES: Final = "Quotes"
COMPOUND_TYPES: Final = frozenset({"address", "location"})


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """One object as the integration user sees it.

    `children` are child relationships, `parents` the relationships that a dotted field name may begin with.
    `external_ids` are the fields by which records can be upserted, `unique` those without duplicates.
    `createable`, `updateable` and `deletable` say whether the user may create, edit and delete records at all.
    """

    fields: Schema
    children: frozenset[str]
    parents: frozenset[str]
    external_ids: frozenset[str]
    unique: frozenset[str]
    createable: bool = True
    updateable: bool = True
    deletable: bool = True

    def writable(self, names: Iterable[str]) -> frozenset[str]:
        """Those of the fields that the user may edit."""
        fields = self.fields if self.updateable else {}
        return frozenset(name for name in names if name in fields and fields[name].writable)


@dataclass(frozen=True, slots=True)
class OrgFacts:
    """What the queries are built from, and what `twinbook doctor` reports.

    `contact_fields` and `account_fields` are those of the settings that the org has, `missing_…` the rest.
    `status_fields` are the fields of the package that can be written on Contact, `account_status_fields` those on
    Account. Whether an entity publishes change events is no matter of REST: the Pub/Sub API says so on subscribing.
    """

    org_id: str
    user_id: str
    instance_url: str
    contact: ObjectFacts
    account: ObjectFacts
    contact_fields: tuple[str, ...]
    account_fields: tuple[str, ...]
    missing_contact_fields: tuple[str, ...]
    missing_account_fields: tuple[str, ...]
    role_sources: tuple[RoleSource, ...]
    status_fields: frozenset[str]
    account_status_fields: frozenset[str]
    person_accounts: bool
    push_on_contact: bool
    push_on_account: bool
    won_opportunities: bool
    quotes: bool


async def discover(rest: SalesforceRest, config: SalesforceConfig) -> OrgFacts:
    """Ask the org what it has. `PermanentError` when the API version, the hidden id field on Contact or Account,
    or the right to write it is missing."""
    token = await rest.login()
    check_version(config.api_version, await rest.versions())
    contact, account = await asyncio.gather(rest.describe("Contact"), rest.describe("Account"))
    facts = facts_of(token, object_facts(contact), object_facts(account), config)
    _check_id_field(config.id_field, facts.contact, facts.account)
    return facts


def facts_of(token: Token, contact: ObjectFacts, account: ObjectFacts, config: SalesforceConfig) -> OrgFacts:
    """What two describes tell of an org, demanding nothing."""
    contact_fields, missing_contact_fields = _split(config.contact_fields, contact, account)
    account_fields, missing_account_fields = _split(config.account_fields, account, account)
    return OrgFacts(
        org_id=token.org_id,
        user_id=token.user_id,
        instance_url=token.instance_url,
        contact=contact,
        account=account,
        contact_fields=contact_fields,
        account_fields=account_fields,
        missing_contact_fields=missing_contact_fields,
        missing_account_fields=missing_account_fields,
        role_sources=tuple(
            source
            for source in ROLE_SOURCES
            if source.entity in config.role_sources and source.relationship in contact.children
        ),
        status_fields=contact.writable(config.status_fields),
        account_status_fields=account.writable(config.status_fields),
        person_accounts="IsPersonAccount" in contact.fields and "IsPersonAccount" in account.fields,
        push_on_contact=config.push_field in contact.fields,
        push_on_account=config.push_field in account.fields,
        won_opportunities=WON_OPPORTUNITIES in account.children,
        quotes=QUOTES in account.children,
    )


def schema_of(describe: Mapping[str, Any]) -> Schema:
    """The fields of a describe."""
    return {field["name"]: _field(field) for field in describe["fields"]}


def _field(field: Mapping[str, Any]) -> FieldMeta:
    values = None
    if field.get("restrictedPicklist"):
        values = frozenset(str(each["value"]) for each in field["picklistValues"] if each["active"])
    return FieldMeta(
        name=field["name"],
        type=field["type"],
        length=field["length"] or None,
        required=not field["nillable"] and not field["defaultedOnCreate"] and field["createable"],
        writable=field["updateable"],
        values=values,
    )


def object_facts(describe: Mapping[str, Any]) -> ObjectFacts:
    """What a describe tells of its object."""
    fields = describe["fields"]
    children = (child.get("relationshipName") for child in describe.get("childRelationships", ()))
    return ObjectFacts(
        fields=schema_of(describe),
        children=frozenset(name for name in children if name),
        parents=frozenset(field["relationshipName"] for field in fields if field.get("relationshipName")),
        external_ids=frozenset(field["name"] for field in fields if field.get("externalId")),
        unique=frozenset(field["name"] for field in fields if field.get("unique")),
        createable=bool(describe.get("createable", True)),
        updateable=bool(describe.get("updateable", True)),
        deletable=bool(describe.get("deletable", True)),
    )


def _split(
    wanted: Iterable[str], own: ObjectFacts, account: ObjectFacts
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names that can be read, and those that cannot. Compounds are read by their parts only."""
    names = tuple(dict.fromkeys(wanted))
    there = tuple(name for name in names if _readable(name, own, account))
    return there, tuple(name for name in names if name not in there)


def _readable(name: str, own: ObjectFacts, account: ObjectFacts) -> bool:
    parent, dot, rest = name.partition(".")
    if dot and parent != "Account":
        return parent in own.parents
    meta = account.fields.get(rest) if dot else own.fields.get(name)
    return meta is not None and meta.type not in COMPOUND_TYPES


def check_version(wanted: str, versions: Iterable[str]) -> None:
    served = sorted(versions, key=float)
    if wanted not in served:
        raise PermanentError(
            "API_VERSION",
            f"the org does not serve API version {wanted}",
            field="api_version",
            remedy=f"Set api_version to {served[-1]}."
            if served
            else "Check that login_url is a Salesforce org.",
        )


def _check_id_field(name: str, contact: ObjectFacts, account: ObjectFacts) -> None:
    for sobject, facts in (("Contact", contact), ("Account", account)):
        if name not in facts.fields:
            raise PermanentError(
                "ID_FIELD_MISSING",
                f"the field {name} is not on {sobject}, or the integration user may not see it",
                field=name,
                remedy=f"Install Twinbook's Salesforce package (or create a text field {name} on {sobject}: unique, "
                "external id) and assign its permission set to the integration user. If the org keeps the NetSuite "
                "id in another field, name that field in the settings.",
            )
    if not contact.fields[name].writable:
        raise PermanentError(
            "ID_FIELD_READ_ONLY",
            f"the integration user may not edit the field {name} on Contact",
            field=name,
            remedy="Assign the permission set of Twinbook's Salesforce package to the integration user.",
        )
