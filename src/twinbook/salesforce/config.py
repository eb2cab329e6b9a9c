"""What the Salesforce side must be told: the names of fields and objects, which settings may change."""

from __future__ import annotations

from dataclasses import dataclass

from twinbook.domain.records import Entity

ROLE_ENTITIES = frozenset(
    {Entity.ACCOUNT_CONTACT_ROLE, Entity.ACCOUNT_CONTACT_RELATION, Entity.OPPORTUNITY_CONTACT_ROLE}
)


@dataclass(frozen=True, slots=True)
class SalesforceConfig:
    """Names are API names. `contact_fields` and `account_fields` are those that mapping and rules look at;
    fields that the org lacks are left out of the records (`OrgFacts.missing_contact_fields`).

    `role_sources` says which objects give a contact its roles, `quotes` whether accounts are asked for quotes,
    `relations` whether contacts are read with the accounts that they are related to.
    `poll_overlap` (seconds) is how long a record may take from its SystemModstamp to its commit and still be found
    by polling. Lists of `bulk_from` records and more are made by the Bulk API, and fetched `bulk_size` at a time.
    """

    contact_fields: tuple[str, ...] = ()
    account_fields: tuple[str, ...] = ()
    api_version: str = "67.0"
    client_name: str = "twinbook"
    id_field: str = "NetSuite_Id__c"
    push_field: str = "Push_to_NetSuite__c"
    status_field: str = "NetSuite_Sync_Status__c"
    message_field: str = "NetSuite_Sync_Message__c"
    last_sync_field: str = "NetSuite_Last_Sync__c"
    link_field: str = "NetSuite_Link__c"
    role_sources: frozenset[Entity] = ROLE_ENTITIES
    quotes: bool = False
    relations: bool = False
    save_past_duplicate_alerts: bool = False
    poll_overlap: float = 60.0
    page_size: int = 2000
    bulk_from: int = 50_000
    bulk_size: int = 10_000

    @property
    def status_fields(self) -> tuple[str, str, str, str]:
        """What a record shows of its own sync: status, message, time of the last sync, link to NetSuite."""
        return (self.status_field, self.message_field, self.last_sync_field, self.link_field)
