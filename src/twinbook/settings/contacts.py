"""What shall happen to contacts and accounts: the tables `contacts` and `accounts` of a connection.

The choices are the domain's own enumerations (behaviour.md 2 to 6), so that a value cannot exist here alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from twinbook.domain.policy import (
    Accounts,
    CounterpartMissing,
    DeletedInNetSuite,
    DeletedInSalesforce,
    Direction,
    MatchScope,
    MergedAway,
    NameClash,
    OtherCompany,
    SharedEmail,
    WithoutAccount,
)
from twinbook.domain.rules import Expression
from twinbook.settings.mapping import (
    AccountMappingSettings,
    MappingBase,
    MappingSettings,
    account_mapping_of,
    mapping_of,
)
from twinbook.settings.table import Name, Names, Table, refusal

TriggerName = Literal["closed-won", "quote", "push", "rule", "all"]


SubsidiaryId = Annotated[str, Field(pattern=r"^[0-9]+$")]
ContactRoleId = Annotated[str, Field(pattern=r"^-?[0-9]+$")]


class RuleSettings(Table):
    """A named condition. Its name appears wherever the rule decided something."""

    name: Name
    """Short and unique: it is the answer to "why was this record left out?"."""
    expression: Name
    """The condition in CEL, such as contact.LeadSource != "Partner" or account.Name.startsWith("A")."""

    @field_validator("expression")
    @classmethod
    def _understood(cls, text: str) -> str:
        try:
            Expression(text)
        except ValueError as problem:
            raise refusal(str(problem).splitlines()[0], "correct the expression") from None
        return text


class ContactSettings(Table):
    """Which contacts are synced, and what happens when something is not clear."""

    direction: Direction = Direction.SALESFORCE_TO_NETSUITE
    """Which side's contacts create and update the other's. What NetSuite has already goes out when it next changes."""
    create: bool = True
    """Create contacts that have no counterpart."""
    update: bool = True
    """Update contacts that are linked."""
    contacts_without_account: WithoutAccount = WithoutAccount.SKIP
    """Salesforce contacts that belong to no account."""
    role_filter: Names = ()
    """Sync only contacts that hold one of these roles; empty: all contacts."""
    rules: tuple[RuleSettings, ...] = ()
    """Conditions that a contact must meet, all of them."""
    test_mode: bool = False
    """Sync only contacts whose `test_mode_field` contains `test_mode_tag`."""
    test_mode_field: Name = "Description"
    """Salesforce field that is searched for the tag."""
    test_mode_tag: Name = "[twinbook-test]"
    """Text that marks a contact as one for tests."""
    match_scope: MatchScope = MatchScope.ANYWHERE
    """Where to look for a counterpart by email: at the account's customer and then anywhere, or only there."""
    other_company: OtherCompany = OtherCompany.ADOPT
    """The only match by email belongs to another company: adopt it and set its company, or ask."""
    shared_email: SharedEmail = SharedEmail.REVIEW
    """All matches by email are linked to other contacts (a shared mailbox): ask, or create another contact."""
    name_clash: NameClash = NameClash.SUFFIX
    """NetSuite refuses the name as taken by another person: add the id to the NetSuite name, or ask."""
    counterpart_missing: CounterpartMissing = CounterpartMissing.REVIEW
    """A linked NetSuite contact is gone when Salesforce's contact changes."""
    deleted_in_salesforce: DeletedInSalesforce = DeletedInSalesforce.KEEP
    """What becomes of the NetSuite contact when the Salesforce contact is deleted."""
    deleted_in_netsuite: DeletedInNetSuite = DeletedInNetSuite.REVIEW
    """What becomes of the pair when the NetSuite contact is deleted. Only delete removes Salesforce contacts."""
    merged_away: MergedAway = MergedAway.REVIEW
    """The second NetSuite contact that a merge in Salesforce leaves behind."""
    attach_relations: bool = False
    """Attach NetSuite contacts to the customers of all accounts that Salesforce relates them to, with their roles."""
    role_map: dict[Name, ContactRoleId] = Field(default_factory=dict)
    """NetSuite contact roles (internal ids) by Salesforce role, such as { "Influencer" = "3" }; the first counts."""
    primary_contact: bool = False
    """Give the primary contact of a Salesforce account the NetSuite role Primary Contact. Needs `attach_relations`."""
    mapping_base: MappingBase = "default"
    """Start from the default map and change single rows, or from nothing."""
    mapping: tuple[MappingSettings, ...] = ()
    """Rows that replace or extend the map that `mapping_base` names."""

    @field_validator("rules")
    @classmethod
    def _distinct_rules(cls, rules: tuple[RuleSettings, ...]) -> tuple[RuleSettings, ...]:
        _refuse_repeated(rules)
        return rules

    @field_validator("mapping")
    @classmethod
    def _fits_together(
        cls, rows: tuple[MappingSettings, ...], info: ValidationInfo
    ) -> tuple[MappingSettings, ...]:
        mapping_of(info.data.get("mapping_base", "default"), rows)
        return rows


class SubsidiaryRuleSettings(RuleSettings):
    """Which accounts become customers of a subsidiary (OneWorld)."""

    subsidiary_id: SubsidiaryId
    """Internal id of the subsidiary of accounts for which the expression is true."""


class AccountSettings(Table):
    """The gate: when an account becomes a NetSuite customer, and who makes it one. Directions are those of contacts."""

    mode: Accounts = Accounts.SYNC
    """Match or create customers (sync), or only wait until another tool has linked the account (gate-only)."""
    triggers: tuple[TriggerName, ...] = ("closed-won",)
    """What makes an account sync. The push checkbox and a request by hand always do."""
    rules: tuple[RuleSettings, ...] = ()
    """Conditions of the trigger rule; any of them is enough."""
    update: bool = True
    """Keep linked accounts and their customers in step."""
    subsidiary_id: SubsidiaryId | None = None
    """Subsidiary (internal id) of new customers for which no rule holds, and of contacts without an account; OneWorld
    requires one."""
    subsidiary_rules: tuple[SubsidiaryRuleSettings, ...] = ()
    """The first rule that is true gives a new customer its subsidiary."""
    customer_status_id: Annotated[str, Field(pattern=r"^-?[0-9]+$")] | None = None
    """Internal id of the status of new customers; the form's default when absent."""
    mapping_base: MappingBase = "default"
    """Start from the default map of accounts and change single rows, or from nothing."""
    mapping: tuple[AccountMappingSettings, ...] = ()
    """Rows that replace or extend the map that `mapping_base` names."""

    @field_validator("subsidiary_rules")
    @classmethod
    def _distinct_rules(cls, rules: tuple[SubsidiaryRuleSettings, ...]) -> tuple[SubsidiaryRuleSettings, ...]:
        _refuse_repeated(rules)
        return rules

    @field_validator("mapping")
    @classmethod
    def _fits_together(
        cls, rows: tuple[AccountMappingSettings, ...], info: ValidationInfo
    ) -> tuple[AccountMappingSettings, ...]:
        account_mapping_of(info.data.get("mapping_base", "default"), rows)
        return rows

    @field_validator("rules")
    @classmethod
    def _rules(cls, rules: tuple[RuleSettings, ...], info: ValidationInfo) -> tuple[RuleSettings, ...]:
        _refuse_repeated(rules)
        if bool(rules) != ("rule" in info.data.get("triggers", [])):
            problem = "there are rules but no trigger for them" if rules else "the trigger has no rules"
            raise refusal(problem, 'use "rule" in triggers and [[accounts.rules]] together')
        return rules


def _refuse_repeated(rules: Sequence[RuleSettings]) -> None:
    names = [rule.name for rule in rules]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise refusal(f"two rules have the name {repeated[0]!r}", "give each a name of its own")
