"""Contacts and accounts: the queries that read them, and the records made of the rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from twinbook.domain.records import Entity, Fields, Relation, SalesforceAccount, SalesforceContact
from twinbook.salesforce import soql
from twinbook.salesforce.config import SalesforceConfig
from twinbook.salesforce.rest import Row
from twinbook.salesforce.schema import QUOTES, WON_OPPORTUNITIES, OrgFacts, RoleSource

LIVE_CHILD = "IsDeleted = false"
"""queryAll looks into the recycle bin for child rows too."""

VERSION = "LastModifiedDate"
"""The field that versions are made of."""

SYSTEM_FIELDS = ("Id", "IsDeleted", "MasterRecordId", VERSION, "LastModifiedBy.Name")


class ContactRows:
    """Reads contacts of an org with these facts."""

    def __init__(self, facts: OrgFacts, config: SalesforceConfig) -> None:
        self._fields = facts.contact_fields
        self._config = config
        self._roles = facts.role_sources
        optional = _optional(config)
        self._columns = _distinct(
            *SYSTEM_FIELDS,
            "AccountId",
            "Account.Name",
            f"Account.{config.id_field}",
            config.id_field,
            *(name for name in optional if name in facts.contact.fields),
            *self._fields,
            *(_children(self._role_columns(role), role.relationship, LIVE_CHILD) for role in self._roles),
        )

    @property
    def by_relation(self) -> str | None:
        """The condition on contacts that are related to accounts, with a place for their ids; None where relations
        are not read. With Contacts to Multiple Accounts a contact's own account is a relation too."""
        sources = (role.entity for role in self._roles)
        if not self._config.relations or Entity.ACCOUNT_CONTACT_RELATION not in sources:
            return None
        return "Id IN (SELECT ContactId FROM AccountContactRelation WHERE AccountId IN ({}))"

    def statement(self, where: str) -> str:
        return soql.select(self._columns, "Contact", where)

    def record(self, row: Row) -> SalesforceContact:
        config = self._config
        account = row["Account"] or {}
        return SalesforceContact(
            id=row["Id"],
            fields=_fields(row, self._fields),
            version=row[VERSION],
            account_id=row["AccountId"],
            account_name=account.get("Name"),
            account_customer_id=account.get(config.id_field) or None,
            netsuite_id=row[config.id_field] or None,
            roles=frozenset(self._roles_in(row)),
            is_person_account=row.get("IsPersonAccount", False),
            push_requested=row.get(config.push_field, False),
            status=row.get(config.status_field),
            status_message=row.get(config.message_field),
            netsuite_link=row.get(config.link_field),
            deleted=row["IsDeleted"],
            merged_into=row["MasterRecordId"],
            relations=tuple(self._relations_in(row)) if config.relations else (),
            saved_by=_through(row, "LastModifiedBy.Name"),
        )

    def _role_columns(self, source: RoleSource) -> tuple[str, ...]:
        if not self._config.relations:
            return (source.field,)
        account = f"{source.parent}Account"
        return (source.field, *source.flags, f"{account}Id", f"{account}.{self._config.id_field}")

    def _roles_in(self, row: Row) -> Iterable[str]:
        for source, child in self._role_rows(row):
            yield from _roles(source, child)

    def _relations_in(self, row: Row) -> Iterable[Relation]:
        for source, child in self._role_rows(row):
            account_id = _through(child, f"{source.parent}AccountId")
            if account_id is not None:
                yield Relation(
                    account_id,
                    _through(child, f"{source.parent}Account.{self._config.id_field}") or None,
                    frozenset(_roles(source, child)),
                    active=child.get("IsActive", True),
                    primary=child.get("IsPrimary", False),
                    of_opportunity=source.entity is Entity.OPPORTUNITY_CONTACT_ROLE,
                )

    def _role_rows(self, row: Row) -> Iterable[tuple[RoleSource, Row]]:
        for source in self._roles:
            children = row[source.relationship]
            for child in children["records"] if children else ():
                yield source, child


class AccountRows:
    """Reads accounts of an org with these facts."""

    def __init__(self, facts: OrgFacts, config: SalesforceConfig) -> None:
        self._fields = facts.account_fields
        self._config = config
        self._won = facts.won_opportunities
        optional = _optional(config)
        self._quotes = facts.quotes and config.quotes
        won = _children(("Id",), WON_OPPORTUNITIES, f"IsWon = true AND {LIVE_CHILD}", "LIMIT 1")
        self._columns = _distinct(
            *SYSTEM_FIELDS,
            "Name",
            "ParentId",
            f"Parent.{config.id_field}",
            config.id_field,
            *(name for name in optional if name in facts.account.fields),
            *self._fields,
            *((won,) if self._won else ()),
            *((_children(("Id",), QUOTES, LIVE_CHILD, "LIMIT 1"),) if self._quotes else ()),
        )

    def statement(self, where: str) -> str:
        return soql.select(self._columns, "Account", where)

    def record(self, row: Row) -> SalesforceAccount:
        config = self._config
        return SalesforceAccount(
            id=row["Id"],
            name=row["Name"],
            fields=_fields(row, self._fields),
            version=row[VERSION],
            netsuite_id=row[config.id_field] or None,
            parent_id=row["ParentId"],
            parent_customer_id=(row["Parent"] or {}).get(config.id_field) or None,
            has_won_opportunity=self._won and bool(row[WON_OPPORTUNITIES]),
            has_quote=self._quotes and bool(row[QUOTES]),
            push_requested=row.get(config.push_field, False),
            is_person_account=row.get("IsPersonAccount", False),
            status=row.get(config.status_field),
            status_message=row.get(config.message_field),
            netsuite_link=row.get(config.link_field),
            deleted=row["IsDeleted"],
            merged_into=row["MasterRecordId"],
            saved_by=_through(row, "LastModifiedBy.Name"),
        )


def _optional(config: SalesforceConfig) -> tuple[str, ...]:
    """Fields that are read where the org has them."""
    return (
        config.push_field,
        config.status_field,
        config.message_field,
        config.link_field,
        "IsPersonAccount",
    )


def _roles(source: RoleSource, child: Row) -> Iterable[str]:
    return filter(None, (child[source.field] or "").split(";"))


def _children(fields: Iterable[str], relationship: str, where: str, tail: str = "") -> str:
    return f"({soql.select(fields, relationship, where, tail)})"


def _fields(row: Row, names: Iterable[str]) -> Fields:
    return {name: row[name] if name in row else _through(row, name) for name in names}


def _through(row: Mapping[str, Any], name: str) -> Any:
    """The value behind a dotted name; an absent parent gives None."""
    value: Any = row
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _distinct(*names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
