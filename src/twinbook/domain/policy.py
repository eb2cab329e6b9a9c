"""The settings that the planner obeys, as the plain values it needs. `twinbook.settings` builds them from the file."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from twinbook.domain.account_mapping import AccountMapping, default_account_mapping
from twinbook.domain.attachments import AttachmentPolicy
from twinbook.domain.mapping import ContactMapping
from twinbook.domain.plan import Trigger
from twinbook.domain.ports import Schema
from twinbook.domain.records import Side
from twinbook.domain.rules import Rule


class Direction(StrEnum):
    SALESFORCE_TO_NETSUITE = "salesforce-to-netsuite"
    BOTH = "both"
    NETSUITE_TO_SALESFORCE = "netsuite-to-salesforce"

    def reaches(self, side: Side) -> bool:
        """Whether changes are carried to this side."""
        return self is Direction.BOTH or (side is Side.NETSUITE) is (self is Direction.SALESFORCE_TO_NETSUITE)


class WithoutAccount(StrEnum):
    SKIP = "skip"
    SYNC = "sync"


class MatchScope(StrEnum):
    ANYWHERE = "anywhere"
    ACCOUNT = "account"


class OtherCompany(StrEnum):
    ADOPT = "adopt"
    REVIEW = "review"


class SharedEmail(StrEnum):
    REVIEW = "review"
    CREATE = "create"


class NameClash(StrEnum):
    SUFFIX = "suffix"
    REVIEW = "review"


class CounterpartMissing(StrEnum):
    RECREATE = "recreate"
    REMATCH = "rematch"
    REVIEW = "review"


class DeletedInSalesforce(StrEnum):
    KEEP = "keep"
    INACTIVATE = "inactivate"
    DELETE = "delete"
    REVIEW = "review"


class DeletedInNetSuite(StrEnum):
    REVIEW = "review"
    RECREATE = "recreate"
    CLOSE = "close"
    DELETE = "delete"


class MergedAway(StrEnum):
    REVIEW = "review"
    INACTIVATE = "inactivate"
    KEEP = "keep"


class Accounts(StrEnum):
    SYNC = "sync"
    GATE_ONLY = "gate-only"


@dataclass(frozen=True, slots=True)
class RecordLink:
    """The NetSuite field that leads to the Salesforce record, and the record's address, with `{id}` in place of its
    id."""

    field: str
    address: str

    def leading_to(self, salesforce_id: str) -> str:
        return self.address.format(id=salesforce_id)


@dataclass(frozen=True, slots=True)
class ContactPolicy:
    """What a connection's settings say about contacts. Defaults are those of behaviour.md.

    `netsuite_link` is None where the field is not installed. `subsidiary_id` is for contacts without an account.
    """

    mapping: ContactMapping
    direction: Direction = Direction.SALESFORCE_TO_NETSUITE
    create: bool = True
    update: bool = True
    contacts_without_account: WithoutAccount = WithoutAccount.SKIP
    role_filter: frozenset[str] = frozenset()
    rules: tuple[Rule, ...] = ()
    test_mode: bool = False
    test_mode_field: str = "Description"
    test_mode_tag: str = "[twinbook-test]"
    match_scope: MatchScope = MatchScope.ANYWHERE
    other_company: OtherCompany = OtherCompany.ADOPT
    shared_email: SharedEmail = SharedEmail.REVIEW
    name_clash: NameClash = NameClash.SUFFIX
    counterpart_missing: CounterpartMissing = CounterpartMissing.REVIEW
    deleted_in_salesforce: DeletedInSalesforce = DeletedInSalesforce.KEEP
    deleted_in_netsuite: DeletedInNetSuite = DeletedInNetSuite.REVIEW
    merged_away: MergedAway = MergedAway.REVIEW
    attachments: AttachmentPolicy = field(default_factory=AttachmentPolicy)
    salesforce_id_field: str = "NetSuite_Id__c"
    netsuite_id_field: str = "custentity_twinbook_sf_id"
    netsuite_link: RecordLink | None = None
    subsidiary_id: str | None = None
    salesforce_schema: Schema | None = None
    netsuite_schema: Schema | None = None


@dataclass(frozen=True, slots=True)
class SubsidiaryRule:
    """Accounts for which `rule` is true become customers of this subsidiary (OneWorld)."""

    rule: Rule
    subsidiary_id: str


@dataclass(frozen=True, slots=True)
class AccountPolicy:
    """What a connection's settings say about the account gate and about linked accounts.

    The first of `subsidiary_rules` that holds gives the subsidiary of a new customer, `subsidiary_id` where none does.
    """

    accounts: Accounts = Accounts.SYNC
    triggers: frozenset[Trigger] = field(default_factory=lambda: frozenset({Trigger.CLOSED_WON}))
    rules: tuple[Rule, ...] = ()
    subsidiary_rules: tuple[SubsidiaryRule, ...] = ()
    subsidiary_id: str | None = None
    customer_status_id: str | None = None
    mapping: AccountMapping = field(default_factory=default_account_mapping)
    direction: Direction = Direction.SALESFORCE_TO_NETSUITE
    update: bool = True
    salesforce_id_field: str = "NetSuite_Id__c"
    netsuite_id_field: str = "custentity_twinbook_sf_id"
    netsuite_link: RecordLink | None = None
    salesforce_schema: Schema | None = None
    netsuite_schema: Schema | None = None

    @property
    def salesforce_fields(self) -> frozenset[str]:
        """The fields of the account that rules and map look at."""
        rules = (*self.rules, *(item.rule for item in self.subsidiary_rules))
        named = {name.removeprefix("Account.") for rule in rules for name in rule.salesforce_fields}
        return self.mapping.salesforce_fields | named

    @property
    def reads_customers(self) -> bool:
        """Whether changes of customers are carried to accounts."""
        carried = self.direction.reaches(Side.SALESFORCE) and bool(self.mapping.rows)
        return self.accounts is Accounts.SYNC and self.update and carried
