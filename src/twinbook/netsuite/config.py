"""What the NetSuite side must be told: the account, the names of fields that settings may change, and limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from twinbook.domain.records import Entity
from twinbook.netsuite.auth import host_of

PAGES = {Entity.CONTACT: "contact", Entity.ACCOUNT: "custjob"}
"""Names of the record pages of NetSuite's user interface."""


@dataclass(frozen=True, slots=True)
class NetSuiteConfig:
    """`account_id` such as 1234567_SB1; `base_url` only where it does not follow from it.

    `link_field` holds the address of the Salesforce record. `contact_fields` and `customer_fields` are REST names that
    mapping and rules look at, beside those that are always read. Fields that the account lacks are left out of the
    records. `oneworld` None: ask the account.

    `read_addresses` joins the tables `contactaddressbook` and `contactaddressbookentityaddress`; `read_deleted`
    polls `deletedrecord`. The first two names are unverified: `discover` tells whether the account has them.

    `concurrency` is the most calls in flight. `overlap_s` is how long a record may take from the moment it is
    stamped with until it can be seen.

    `transport` is the way contacts and customers are read and written; `auto` is REST until the side has looked
    whether the RESTlet is there.
    """

    account_id: str
    base_url: str | None = None
    id_field: str = "custentity_twinbook_sf_id"
    link_field: str | None = None
    locked_field: str | None = None
    contact_fields: tuple[str, ...] = ()
    customer_fields: tuple[str, ...] = ()
    oneworld: bool | None = None
    read_addresses: bool = True
    read_deleted: bool = True
    concurrency: int = 4
    overlap_s: float = 300.0
    page_size: int = 1000
    transport: Literal["rest", "restlet", "auto"] = "rest"

    @property
    def url(self) -> str:
        """The base URL of the REST services."""
        return (self.base_url or host_of(self.account_id)).rstrip("/")

    @property
    def restlet_url(self) -> str:
        """The base URL of RESTlets (netsuite.md 1.1)."""
        return self.url.replace(".suitetalk.api.", ".restlets.api.")

    def record_address(self, entity: Entity) -> str:
        """The address of a record's page for people, with `{id}` in the place of its internal id (netsuite.md 1.1)."""
        host = self.url.replace(".suitetalk.api.", ".app.")
        return f"{host}/app/common/entity/{PAGES[entity]}.nl?id={{id}}"
