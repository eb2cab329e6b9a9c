"""The id fields of products that an installation may have used before, so that its links survive the change.

Sources: products.md 1.3, 1.4.9 and 1.6 (`celigo-io`: both fields; `celigo-v1`: the Salesforce field). The NetSuite
field of `celigo-v1` was seen on customers in three public code bases; check it on the contact form of your account.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Preset(StrEnum):
    TWINBOOK = "twinbook"
    CELIGO_IO = "celigo-io"
    CELIGO_V1 = "celigo-v1"


@dataclass(frozen=True, slots=True)
class IdFields:
    """Where each system stores the other's id, on contacts and on accounts or customers alike."""

    salesforce: str
    netsuite: str


ID_FIELDS = {
    Preset.TWINBOOK: IdFields("NetSuite_Id__c", "custentity_twinbook_sf_id"),
    Preset.CELIGO_IO: IdFields("celigo_sfnsio__NetSuite_Id__c", "custentity_celigo_sfio_sf_id"),
    Preset.CELIGO_V1: IdFields("netsuite_conn__NetSuite_Id__c", "custentity_celigo_sfnc_salesforce_id"),
}
