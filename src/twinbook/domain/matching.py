"""Which existing record could be the counterpart of an unlinked one (behaviour.md 2, rows 14 to 18; 3, row 9).

Matching looks only at what the candidates are, never at their order.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from twinbook.domain.canonical import email_key
from twinbook.domain.ids import contact_key
from twinbook.domain.plan import Candidate, ContactView, SalesforceCandidate
from twinbook.domain.records import NetSuiteContact, SalesforceContact

CREATE_NEW = "new"
"""What a person chooses instead of a candidate."""

LEAVE_OUT = "skip"
"""What a person chooses for a contact that is not to be synced, linked or not, until somebody decides otherwise."""


@dataclass(frozen=True, slots=True)
class EmailMatches:
    """NetSuite contacts with the email in question, by what they are to the account. Active ones go before inactive
    ones: a group holds inactive contacts only if it has no active one."""

    taken: tuple[Candidate, ...]
    at_customer: tuple[NetSuiteContact, ...]
    elsewhere: tuple[NetSuiteContact, ...]

    @property
    def all_taken(self) -> bool:
        return bool(self.taken) and not (self.at_customer or self.elsewhere)


def candidates_of(view: ContactView) -> tuple[Candidate, ...]:
    """The candidates with the contact that the view itself is about, each once, in the order of their ids."""
    found = {item.record.id: item for item in view.candidates}
    if view.netsuite is not None:
        found.setdefault(view.netsuite.id, Candidate(view.netsuite, view.netsuite.salesforce_id))
    return tuple(found[key] for key in sorted(found))


def salesforce_candidates_of(view: ContactView) -> tuple[SalesforceCandidate, ...]:
    """The same from NetSuite's point of view."""
    found = {item.record.id: item for item in view.salesforce_candidates}
    if view.salesforce is not None:
        found.setdefault(
            view.salesforce.id, SalesforceCandidate(view.salesforce, view.salesforce.netsuite_id)
        )
    return tuple(found[key] for key in sorted(found))


def carriers(candidates: Iterable[Candidate], contact: SalesforceContact) -> tuple[NetSuiteContact, ...]:
    """The candidates that already carry this contact's id, or whose id the contact carries; the best evidence only.

    An external id is unique and set by nobody else; a custom field may have been copied with its record.
    """
    free = [item.record for item in candidates if item.linked_to in (None, contact.id)]
    evidence = (
        [record for record in free if record.external_id == contact_key(contact.id)],
        [record for record in free if record.id == contact.netsuite_id],
        [record for record in free if record.salesforce_id == contact.id],
        [item.record for item in candidates if item.linked_to == contact.id],
    )
    return _active_first(next((group for group in evidence if group), []))


def by_email(
    candidates: Iterable[Candidate], contact: SalesforceContact, customer_id: str | None
) -> EmailMatches:
    """The candidates that have the contact's email."""
    email = email_key(contact.fields.get("Email"))
    matches = [item for item in candidates if email is not None and email_key(item.record.email) == email]
    free = [item.record for item in matches if item.linked_to in (None, contact.id)]
    return EmailMatches(
        taken=tuple(item for item in matches if item.linked_to not in (None, contact.id)),
        at_customer=_active_first([record for record in free if record.company_id == customer_id]),
        elsewhere=_active_first([record for record in free if record.company_id != customer_id]),
    )


def same_person(
    candidates: Iterable[Candidate], contact: SalesforceContact, customer_id: str | None
) -> tuple[NetSuiteContact, ...]:
    """Contacts of a clashing name that are this person: the same email, or no email, nobody else's, same company."""
    email = email_key(contact.fields.get("Email"))
    free = [item.record for item in candidates if item.linked_to in (None, contact.id)]
    same_email = [record for record in free if email is not None and email_key(record.email) == email]
    nameless = [
        record for record in free if email_key(record.email) is None and record.company_id == customer_id
    ]
    return _active_first(same_email or nameless)


def salesforce_carriers(
    candidates: Iterable[SalesforceCandidate], contact: NetSuiteContact
) -> tuple[SalesforceContact, ...]:
    """Salesforce contacts that carry this NetSuite contact's id, or whose id it carries."""
    free = _free(candidates, contact.id)
    ours = [record for record in free if record.netsuite_id == contact.id]
    theirs = [r for r in free if r.id == contact.salesforce_id or contact_key(r.id) == contact.external_id]
    return tuple(ours or theirs)


def salesforce_by_email(
    candidates: Iterable[SalesforceCandidate], contact: NetSuiteContact, account_id: str | None
) -> tuple[tuple[SalesforceContact, ...], bool]:
    """Free contacts of the account with this email, and whether there are others that belong to somebody else."""
    email = email_key(contact.email)
    matches = [
        item
        for item in candidates
        if email_key(item.record.fields.get("Email")) == email
        and item.record.account_id == account_id
        and not item.record.deleted
    ]
    free = _free(matches, contact.id)
    return tuple(free), len(free) < len(matches)


def ids_of(records: Iterable[NetSuiteContact | SalesforceContact]) -> tuple[str, ...]:
    return tuple(sorted(record.id for record in records))


def _free(candidates: Iterable[SalesforceCandidate], netsuite_id: str) -> list[SalesforceContact]:
    found = (item for item in candidates if item.linked_to in (None, netsuite_id) and not item.record.deleted)
    return [item.record for item in found]


def _active_first(records: list[NetSuiteContact]) -> tuple[NetSuiteContact, ...]:
    active = [record for record in records if not record.inactive]
    return tuple(active or records)
