"""What pages call things that have short names inside."""

from __future__ import annotations

from enum import StrEnum

from twinbook.domain.matching import CREATE_NEW, LEAVE_OUT
from twinbook.domain.policy import DeletedInNetSuite, DeletedInSalesforce
from twinbook.domain.records import Side
from twinbook.engine.care.undoing import Step
from twinbook.engine.connection import ACCOUNTS, CONTACTS, NETSUITE_CONTACTS, Source

# What a person can choose, apart from ids of records.
CHOICES = {
    CREATE_NEW: "Create a new record",
    LEAVE_OUT: "Leave it out of the sync",
    Side.SALESFORCE.value: "Salesforce's values for all fields in conflict",
    Side.NETSUITE.value: "NetSuite's values for all fields in conflict",
    DeletedInSalesforce.KEEP.value: "Keep the NetSuite record as it is, and end the pair",
    DeletedInSalesforce.INACTIVATE.value: "Make the NetSuite record inactive, and end the pair",
    DeletedInSalesforce.DELETE.value: "Delete the NetSuite record as well",
    DeletedInNetSuite.CLOSE.value: "Leave it alone, and end the pair",
}

# The lists that a back-fill looks through.
LISTS = {
    ACCOUNTS: "Accounts",
    CONTACTS: "Contacts of Salesforce",
    NETSUITE_CONTACTS: "Contacts of NetSuite without a pair",
}


class ListName(StrEnum):
    """What programs call these lists."""

    ACCOUNTS = str(ACCOUNTS)
    CONTACTS = str(CONTACTS)
    NETSUITE_CONTACTS = str(NETSUITE_CONTACTS)


def list_of(name: ListName) -> Source:
    return next(part for part in LISTS if str(part) == name)


STEPS = {
    Step.RESTORE: "These fields get back what they held.",
    Step.INACTIVATE: "The NetSuite record that was created is made inactive, and the pair is left out of the sync.",
    Step.TAKE_APART: "The match is taken apart: fields get back what they held, and both are left out of the sync.",
    Step.NOTHING: "Nothing can be undone.",
}
