"""Behaviours of the org that differ between orgs, or that the fact sheet marks as unverified.

The control plane shows and sets them by name. "Unverified" gives the place in salesforce.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from twinbook_sandbox.salesforce.schema import Feature


@dataclass(slots=True)
class SalesforceSwitches:
    """All switches with their defaults."""

    middle_name: bool = True
    """Middle names and suffixes are enabled in Setup (6.1)."""
    state_country_picklists: bool = False
    """State and country picklists are enabled: codes and labels must exist and agree (6.1)."""
    person_accounts: bool = True
    """The org has person accounts (6.3)."""
    celigo_package: bool = False
    """The package of Celigo's Integration App is installed: its NetSuite id on Contact and Account."""
    person_name_order: str = "Salutation FirstName LastName MiddleName Suffix"
    """Order of a person's name in change events. Unverified (11.5)."""
    hidden_fields: list[str] = field(default_factory=list)
    """Fields that the integration user may not see, such as `Contact.Birthdate` (3.1, 4.6)."""
    layout_without: list[str] = field(default_factory=list)
    """Fields and actions that page layouts lack, such as `Contact.NetSuite_Link__c` or `Contact.Push_to_NetSuite`."""
    restricted_picklists: list[str] = field(default_factory=list)
    """Picklists that refuse other than their values, such as `Contact.LeadSource`."""
    trim_text: bool = True
    """Outer blanks are cut on save, and an empty text becomes null. Unverified (6.1)."""

    newest_api_version: int = 67
    """Versions 31.0 up to this one are served (0, 11.1)."""
    session_timeout_seconds: int = 7200
    """A session ends after this time without use (1.6)."""
    same_session_per_login: bool = False
    """A further login of the same user with the same app returns the live session's token."""
    my_domain_audience: bool = True
    """The org's own URL is accepted as `aud` of a JWT assertion. From a secondary source (1.3)."""
    daily_api_limit: int = 100_000
    """API requests in rolling 24 hours, then 403 REQUEST_LIMIT_EXCEEDED (8, sandboxes: 11.8)."""
    largest_page: int = 2000
    """A query page never has more rows than this, whatever the batchSize asked for (4.1)."""

    duplicate_rule: Literal["off", "alert", "block"] = "off"
    """Contacts with the same email: saved, reported unless allowSave is sent, or refused (4.7)."""
    duplicate_result_key: Literal["duplicateResut", "duplicateResult"] = "duplicateResut"
    """The key in a DUPLICATES_DETECTED body; both spellings were seen (4.7)."""
    dotted_external_id_404: bool = True
    """An external id value in the URL that ends like a file name (`a.com`) is not found (4.2)."""
    unknown_id_status: int = 404
    """HTTP status when the id in the URL of a write is unknown. Unverified (4.7, 11.7)."""
    row_lock_status: int = 400
    """HTTP status of UNABLE_TO_LOCK_ROW on single-record calls. Unverified (11.7)."""
    repeated_external_id_fails: bool = True
    """The second row with the same external id in one collections upsert fails. Unverified (11.10)."""
    relationship_paths_in_retrieve: bool = True
    """`Account.Name` may be asked for in a collections retrieve. Unverified (11.10)."""

    transaction_per_type_chunk: bool = True
    """Each chunk of equal types in a collections call is a transaction of its own. Unverified (11.10)."""
    client_option_on_collections: bool = False
    """`Sforce-Call-Options: client=` of collections calls shows in the change origin. Unverified (11.4)."""
    bulk_origin: str = "bulkapi"
    """The API's name in the change origin of Bulk 2.0 writes. Unverified (11.4)."""
    noop_update_fires_event: bool = True
    """An update that changes no value still moves LastModifiedDate, and is an event. Unverified."""
    hard_delete_fires_event: bool = True
    """Bulk hardDelete of live records fires DELETE events. Unverified (11.6)."""
    account_merge_fires_contact_events: bool = True
    """Contacts that an account merge moves fire UPDATE events. Unverified (11.6)."""
    keep_previous_account_relation: bool = False
    """The account a contact leaves stays related to it indirectly (an org setting, 6.4)."""

    bulk_header_without_rows: bool = True
    """A bulk query without rows has a header line; otherwise its result is empty. Unverified (5.1)."""

    def features(self) -> frozenset[Feature]:
        """The features of the org's set-up that are on."""
        chosen = {
            Feature.MIDDLE_NAME: self.middle_name,
            Feature.STATE_COUNTRY_PICKLISTS: self.state_country_picklists,
            Feature.PERSON_ACCOUNTS: self.person_accounts,
            Feature.CELIGO_PACKAGE: self.celigo_package,
        }
        return frozenset(feature for feature, on in chosen.items() if on)
