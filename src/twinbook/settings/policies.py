"""From the settings of a connection to the plain values that the planner obeys."""

from __future__ import annotations

from collections.abc import Iterable

from twinbook.domain.attachments import AttachmentPolicy
from twinbook.domain.plan import Trigger
from twinbook.domain.policy import AccountPolicy, ContactPolicy, RecordLink, SubsidiaryRule
from twinbook.domain.ports import Schema
from twinbook.domain.records import Entity
from twinbook.domain.rules import Rule
from twinbook.settings.contacts import RuleSettings
from twinbook.settings.mapping import account_mapping_of, mapping_of
from twinbook.settings.model import ConnectionSettings
from twinbook.settings.systems import RoleSource

_ROLE_ENTITIES: dict[RoleSource, Entity] = {
    "AccountContactRole": Entity.ACCOUNT_CONTACT_ROLE,
    "AccountContactRelation": Entity.ACCOUNT_CONTACT_RELATION,
    "OpportunityContactRole": Entity.OPPORTUNITY_CONTACT_ROLE,
}


def contact_policy(
    connection: ConnectionSettings,
    *,
    salesforce_schema: Schema | None = None,
    netsuite_schema: Schema | None = None,
) -> ContactPolicy:
    """The rules for contacts. Values are checked before sending against the schemas that are given."""
    contacts = connection.contacts
    return ContactPolicy(
        mapping=mapping_of(contacts.mapping_base, contacts.mapping),
        direction=contacts.direction,
        create=contacts.create,
        update=contacts.update,
        contacts_without_account=contacts.contacts_without_account,
        role_filter=frozenset(contacts.role_filter),
        rules=_rules(contacts.rules),
        test_mode=contacts.test_mode,
        test_mode_field=contacts.test_mode_field,
        test_mode_tag=contacts.test_mode_tag,
        match_scope=contacts.match_scope,
        other_company=contacts.other_company,
        shared_email=contacts.shared_email,
        name_clash=contacts.name_clash,
        counterpart_missing=contacts.counterpart_missing,
        deleted_in_salesforce=contacts.deleted_in_salesforce,
        deleted_in_netsuite=contacts.deleted_in_netsuite,
        merged_away=contacts.merged_away,
        attachments=AttachmentPolicy(
            contacts.attach_relations, contacts.role_map, primary=contacts.primary_contact
        ),
        salesforce_id_field=connection.salesforce.id_field,
        netsuite_id_field=connection.netsuite.id_field,
        netsuite_link=_link(connection, netsuite_schema),
        subsidiary_id=connection.accounts.subsidiary_id,
        salesforce_schema=salesforce_schema,
        netsuite_schema=netsuite_schema,
    )


def account_policy(
    connection: ConnectionSettings,
    *,
    salesforce_schema: Schema | None = None,
    netsuite_schema: Schema | None = None,
) -> AccountPolicy:
    """The rules for accounts. Values are checked before sending against the schemas that are given."""
    accounts = connection.accounts
    return AccountPolicy(
        accounts=accounts.mode,
        triggers=frozenset(Trigger(name) for name in accounts.triggers),
        rules=_rules(accounts.rules),
        subsidiary_rules=tuple(
            SubsidiaryRule(Rule(rule.name, rule.expression), rule.subsidiary_id)
            for rule in accounts.subsidiary_rules
        ),
        subsidiary_id=accounts.subsidiary_id,
        customer_status_id=accounts.customer_status_id,
        mapping=account_mapping_of(accounts.mapping_base, accounts.mapping),
        direction=connection.contacts.direction,
        update=accounts.update,
        salesforce_id_field=connection.salesforce.id_field,
        netsuite_id_field=connection.netsuite.id_field,
        netsuite_link=_link(connection, netsuite_schema),
        salesforce_schema=salesforce_schema,
        netsuite_schema=netsuite_schema,
    )


def role_entities(connection: ConnectionSettings) -> frozenset[Entity]:
    """The objects whose roles count."""
    return frozenset(_ROLE_ENTITIES[name] for name in connection.salesforce.role_sources)


def _link(connection: ConnectionSettings, schema: Schema | None) -> RecordLink | None:
    """The link field, if the account has it. A record's own id is the shortest address that leads to it."""
    field = connection.netsuite.link_field
    address = f"{connection.salesforce.login_url.rstrip('/')}/{{id}}"
    return RecordLink(field, address) if schema is not None and field in schema else None


def _rules(rules: Iterable[RuleSettings]) -> tuple[Rule, ...]:
    return tuple(Rule(rule.name, rule.expression) for rule in rules)
