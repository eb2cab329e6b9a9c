"""Whom NetSuite contacts that were found belong to already."""

from __future__ import annotations

from collections.abc import Sequence

from twinbook.domain.ids import salesforce_id_of
from twinbook.domain.plan import Candidate
from twinbook.domain.records import Entity, NetSuiteContact
from twinbook.engine.connection import Connection
from twinbook.store import links


async def owned(connection: Connection, found: Sequence[NetSuiteContact]) -> tuple[Candidate, ...]:
    """Who the found contacts belong to: by the link table, else by the Salesforce id they carry, as long as that
    Salesforce contact is alive."""
    ids = [contact.id for contact in found]
    known = await connection.store.read(lambda tx: links.by_netsuite(tx, Entity.CONTACT, ids))
    claims = {contact.id: _claimed_by(contact) for contact in found if contact.id not in known}
    alive = await _alive(connection, {id_ for id_ in claims.values() if id_})
    owners: dict[str, str | None] = {id_: link.salesforce_id for id_, link in known.items()}
    owners |= {id_: owner for id_, owner in claims.items() if owner in alive}
    return tuple(Candidate(contact, owners.get(contact.id)) for contact in found)


async def _alive(connection: Connection, ids: set[str]) -> set[str]:
    ordered, size = sorted(ids), connection.options.batch
    alive: set[str] = set()
    for start in range(0, len(ordered), size):
        contacts = await connection.salesforce.read_contacts(ordered[start : start + size])
        alive |= {id_ for id_, contact in contacts.items() if not contact.deleted}
    return alive


def _claimed_by(contact: NetSuiteContact) -> str | None:
    return contact.salesforce_id or salesforce_id_of(contact.external_id)
