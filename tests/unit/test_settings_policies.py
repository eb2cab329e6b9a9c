"""From settings to the planner's values: the promised defaults, and the field map."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from twinbook.domain.attachments import AttachmentPolicy
from twinbook.domain.canonical import Kind
from twinbook.domain.mapping import default_mapping
from twinbook.domain.plan import Trigger
from twinbook.domain.policy import AccountPolicy, ContactPolicy
from twinbook.domain.ports import FieldMeta
from twinbook.domain.records import Entity, Side
from twinbook.settings import ConnectionSettings, SettingsError, account_policy, contact_policy, load
from twinbook.settings.policies import role_entities

MINIMAL: dict[str, Any] = {
    "salesforce": {
        "login_url": "https://acme.my.salesforce.com",
        "client_id": "3MVG9",
        "username": "integration@acme.example",
        "private_key": "pem",
    },
    "netsuite": {
        "account_id": "1234567",
        "client_id": "client",
        "certificate_id": "certificate",
        "private_key": "pem",
    },
}


def connection(**tables: Any) -> ConnectionSettings:
    return ConnectionSettings.model_validate(MINIMAL | tables)


def test_the_defaults_are_those_that_are_promised() -> None:
    """behaviour.md 2 to 6. A changed default changes what happens to people's data: it belongs in the changelog."""
    assert connection().contacts.model_dump(mode="json") == {
        "direction": "salesforce-to-netsuite",
        "create": True,
        "update": True,
        "contacts_without_account": "skip",
        "role_filter": [],
        "rules": [],
        "test_mode": False,
        "test_mode_field": "Description",
        "test_mode_tag": "[twinbook-test]",
        "match_scope": "anywhere",
        "other_company": "adopt",
        "shared_email": "review",
        "name_clash": "suffix",
        "counterpart_missing": "review",
        "deleted_in_salesforce": "keep",
        "deleted_in_netsuite": "review",
        "merged_away": "review",
        "attach_relations": False,
        "role_map": {},
        "primary_contact": False,
        "mapping_base": "default",
        "mapping": [],
    }
    assert connection().accounts.model_dump(mode="json") == {
        "mode": "sync",
        "triggers": ["closed-won"],
        "rules": [],
        "update": True,
        "subsidiary_id": None,
        "subsidiary_rules": [],
        "customer_status_id": None,
        "mapping_base": "default",
        "mapping": [],
    }
    assert connection().limits.model_dump() == {
        "batch_size": 200,
        "stop_deletes_percent": 5,
        "stop_deletes_above": 20,
        "stop_changes_percent": 50,
        "stop_changes_above": 20,
        "reserve_percent": 20,
        "debounce_seconds": 0,
        "debounce_longest_seconds": 60,
    }
    assert connection().netsuite.concurrency is None
    assert connection().netsuite.poll_seconds == 10
    assert connection().salesforce.id_field == "NetSuite_Id__c"
    assert connection().netsuite.id_field == "custentity_twinbook_sf_id"


def test_without_settings_the_policies_are_the_domain_s_own_defaults() -> None:
    assert contact_policy(connection()) == ContactPolicy(mapping=default_mapping())
    assert account_policy(connection()) == AccountPolicy()


DIFFERENT: dict[str, Any] = {
    "direction": "both",
    "create": False,
    "update": False,
    "contacts_without_account": "sync",
    "role_filter": ["Decision Maker"],
    "rules": [{"name": "no partners", "expression": "contact.LeadSource != 'Partner'"}],
    "test_mode": True,
    "test_mode_field": "Title",
    "test_mode_tag": "try",
    "match_scope": "account",
    "other_company": "review",
    "shared_email": "create",
    "name_clash": "review",
    "counterpart_missing": "recreate",
    "deleted_in_salesforce": "inactivate",
    "deleted_in_netsuite": "close",
    "merged_away": "keep",
    "attach_relations": True,
    "role_map": {"Influencer": "3"},
    "primary_contact": True,
    "mapping_base": "empty",
}


def test_every_setting_reaches_the_planner() -> None:
    """No field of a policy keeps its default when everything is set differently."""
    different = MINIMAL | {
        "preset": "celigo-io",
        "contacts": DIFFERENT,
        "accounts": {
            "mode": "gate-only",
            "triggers": ["rule"],
            "rules": [{"name": "customers", "expression": "account.Name != ''"}],
            "update": False,
            "subsidiary_id": "3",
            "subsidiary_rules": [
                {"name": "germany", "expression": "account.BillingCountry == 'DE'", "subsidiary_id": "4"}
            ],
            "customer_status_id": "13",
            "mapping_base": "empty",
        },
    }
    settings = ConnectionSettings.model_validate(different)
    link = settings.netsuite.link_field
    schema = {link: FieldMeta(link, "string")}
    contacts = contact_policy(settings, salesforce_schema={}, netsuite_schema=schema)
    for policy, default in (
        (contacts, ContactPolicy(mapping=default_mapping())),
        (account_policy(settings, salesforce_schema={}, netsuite_schema=schema), AccountPolicy()),
    ):
        unchanged = [
            field.name
            for field in dataclasses.fields(policy)
            if getattr(policy, field.name) == getattr(default, field.name)
        ]
        assert unchanged == []


def test_triggers_and_role_sources_become_the_domain_s_words() -> None:
    settings = connection(
        accounts={"triggers": ["closed-won", "quote", "all"]},
        salesforce=MINIMAL["salesforce"] | {"role_sources": ["OpportunityContactRole"]},
    )
    assert account_policy(settings).triggers == {Trigger.CLOSED_WON, Trigger.QUOTE, Trigger.ALL}
    assert role_entities(settings) == {Entity.OPPORTUNITY_CONTACT_ROLE}


def keys(*rows: dict[str, Any], base: str = "default") -> list[str]:
    settings = connection(contacts={"mapping_base": base, "mapping": list(rows)})
    return [row.key for row in contact_policy(settings).mapping.rows]


DEFAULT_KEYS = [row.key for row in default_mapping().rows]


def test_a_row_extends_the_default_map() -> None:
    added = keys({"salesforce": "Department", "netsuite": "custentity_department"})
    assert added == [*DEFAULT_KEYS, "Department/custentity_department"]


def test_a_row_replaces_the_default_rows_that_write_the_same_field() -> None:
    changed = keys({"salesforce": "Title", "netsuite": "custentity_job"})
    assert "Title/title" not in changed
    assert set(changed) - set(DEFAULT_KEYS) == {"Title/custentity_job"}


def test_a_one_way_copy_leaves_the_default_row_of_its_source_alone() -> None:
    copied = keys({"salesforce": "Email", "netsuite": "altEmail", "direction": "->"})
    assert {"Email/email", "Email/altEmail"} <= set(copied)


def test_a_row_for_the_same_fields_keeps_their_kind() -> None:
    settings = connection(
        contacts={"mapping": [{"salesforce": "Phone", "netsuite": "phone", "direction": "->"}]}
    )
    row = contact_policy(settings).mapping.row("Phone/phone")
    assert row is not None
    assert row.kind is Kind.PHONE
    assert not row.direction.reaches(Side.SALESFORCE)


def test_a_default_row_can_be_taken_out_by_one_of_its_fields() -> None:
    assert [key for key in DEFAULT_KEYS if key not in keys({"salesforce": "Fax", "enabled": False})] == [
        "Fax/fax"
    ]


def test_an_empty_base_holds_only_what_is_given() -> None:
    assert keys({"salesforce": "Email", "netsuite": "email"}, base="empty") == ["Email/email"]


def test_a_lookup_becomes_pairs() -> None:
    row = {"salesforce": "Salutation", "netsuite": "salutation", "lookup": {"Mr.": "Herr", "Ms.": "Frau"}}
    mapping = contact_policy(connection(contacts={"mapping": [row]})).mapping
    assert [item.lookup for item in mapping.rows if item.salesforce == "Salutation"] == [
        (("Mr.", "Herr"), ("Ms.", "Frau"))
    ]


@pytest.mark.parametrize(
    ("rows", "key", "problem"),
    [
        ('{salesforce="Title"}', "mapping[0]", "names no netsuite field"),
        ('{salesforce="AccountId", netsuite="company"}', "mapping", "set by Twinbook itself"),
        ('{salesforce="Tilte", enabled=false}', "mapping[0]", "not in the default map"),
        ("{enabled=false}", "mapping[0]", "not in the default map"),
        ('{netsuite="title", direction="->", expression="contact.("}', "mapping[0]", "expression"),
        ('{salesforce="A__c", netsuite="x"}, {salesforce="B__c", netsuite="x"}', "mapping", "two rows write"),
        (
            '{salesforce="A__c", netsuite="x", direction="=>"}',
            "mapping[0].direction",
            "not one of its values",
        ),
    ],
)
def test_rows_that_make_no_sense_are_refused_where_they_stand(
    tmp_path: Path, rows: str, key: str, problem: str
) -> None:
    path = tmp_path / "twinbook.toml"
    path.write_text(f"[connections.default.contacts]\nmapping = [{rows}]\n")
    with pytest.raises(SettingsError) as caught:
        load(path, {})
    found = {item.key: item.problem for item in caught.value.problems}
    assert problem in found[f"connections.default.contacts.{key}"]


def account_keys(*rows: dict[str, Any], **accounts: Any) -> set[str]:
    settings = connection(accounts={"mapping": list(rows), **accounts})
    return {row.key for row in account_policy(settings).mapping.rows}


def test_the_account_map_is_changed_like_that_of_contacts() -> None:
    default = account_keys()
    assert {"Name/companyName", "Phone/phone", "Website/url", "BillingCity/address.city"} <= default
    assert account_keys({"salesforce": "Fax", "enabled": False}) == default - {"Fax/fax"}
    region = {"salesforce": "Region__c", "netsuite": "custentity_region"}
    assert account_keys(region) == default | {"Region__c/custentity_region"}
    assert account_keys(region, mapping_base="empty") == {"Region__c/custentity_region"}


def test_a_row_of_the_account_map_keeps_the_kind_of_its_field() -> None:
    settings = connection(
        accounts={"mapping": [{"salesforce": "Website", "netsuite": "url", "direction": "->"}]}
    )
    row = account_policy(settings).mapping.row("Website/url")
    assert row is not None
    assert row.kind is Kind.URL


def test_rules_and_map_say_which_fields_of_accounts_are_read() -> None:
    accounts = {
        "triggers": ["rule"],
        "rules": [{"name": "vip", "expression": "account.Type == 'VIP' && account.Name != ''"}],
        "subsidiary_rules": [{"name": "de", "expression": "account.Region__c == 'DE'", "subsidiary_id": "2"}],
        "mapping_base": "empty",
    }
    assert account_policy(connection(accounts=accounts)).salesforce_fields == {"Type", "Region__c"}


@pytest.mark.parametrize(
    ("accounts", "problem"),
    [
        ('mapping = [{salesforce="ParentId", netsuite="parent"}]', "set by Twinbook itself"),
        ('mapping = [{salesforce="Title", enabled=false}]', "not in the default map"),
        (
            'subsidiary_rules = [{name="a", expression="true", subsidiary_id="x"}]',
            "",
        ),
        (
            'subsidiary_rules = [{name="a", expression="true", subsidiary_id="1"},'
            ' {name="a", expression="true", subsidiary_id="2"}]',
            "two rules have the name",
        ),
    ],
)
def test_account_settings_that_make_no_sense_are_refused(tmp_path: Path, accounts: str, problem: str) -> None:
    path = tmp_path / "twinbook.toml"
    path.write_text(f"[connections.default.accounts]\n{accounts}\n")
    with pytest.raises(SettingsError) as caught:
        load(path, {})
    found = [item for item in caught.value.problems if item.key.startswith("connections.default.accounts.")]
    assert found
    assert problem in found[0].problem


def test_attaching_to_further_customers() -> None:
    roles = {"Decision Maker": "3", "Influencer": "-10"}
    contacts = {"attach_relations": True, "role_map": roles, "primary_contact": True}
    assert contact_policy(connection(contacts=contacts)).attachments == AttachmentPolicy(True, roles, True)
    assert contact_policy(connection()).attachments == AttachmentPolicy()


def test_a_contact_role_is_an_internal_id() -> None:
    with pytest.raises(ValidationError, match="role_map"):
        connection(contacts={"role_map": {"Decision Maker": "Primary Contact"}})
