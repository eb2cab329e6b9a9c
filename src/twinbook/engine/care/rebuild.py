"""Making the link table again from the ids that both systems hold.

Only pairs whose records name each other become links. An account needs less: it counts as linked by the id that
stands on it in Salesforce, whoever wrote it there (behaviour.md 6).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from twinbook.domain.ids import account_key, contact_key
from twinbook.domain.pairing import Finding, Verdict, accounts_agreed, bearer, contacts_agreed
from twinbook.domain.records import (
    Entity,
    Fields,
    LinkState,
    NetSuiteContact,
    NetSuiteCustomer,
    SalesforceAccount,
    SalesforceContact,
)
from twinbook.engine.connection import Connection
from twinbook.engine.insight.survey import Survey
from twinbook.store import journal, links
from twinbook.store.database import Tx
from twinbook.store.journal import Entry

ENTITIES = (Entity.ACCOUNT, Entity.CONTACT)


class Rebuild:
    """Compares the ids in both systems with the link table, and completes it.

    `source` is where the ids are read, `connection` whose link table it is; they differ when links of another product
    are taken over.
    """

    def __init__(self, connection: Connection, source: Connection | None = None) -> None:
        self._connection = connection
        self._source = source or connection

    async def batches(self) -> AsyncIterator[list[Finding]]:
        """All findings, accounts first. It writes nothing."""
        for entity in ENTITIES:
            async for batch in Survey(self._source, entity).batches():
                yield await self._compared(entity, batch)

    async def restore(self, batch: Sequence[Finding], *, by: str, why: str) -> list[Finding]:
        """Store the links of a batch that are not known yet, each with a line in the journal; gives those."""
        missing = [finding for finding in batch if restorable(finding) and not finding.known]
        if missing:
            now = self._connection.clock.now()
            await self._connection.store.run(lambda tx: self._store(tx, missing, by=by, why=why, now=now))
        return missing

    def _store(self, tx: Tx, missing: Sequence[Finding], *, by: str, why: str, now: float) -> None:
        for finding in missing:
            id_, salesforce, netsuite = str(finding.salesforce_id), finding.salesforce, finding.netsuite
            correlation = contact_key(id_) if finding.entity is Entity.CONTACT else account_key(id_)
            links.establish(
                tx,
                finding.entity,
                id_,
                str(finding.netsuite_id),
                correlation_id=correlation,
                now=now,
                agreed=self._agreed(finding),
                salesforce_version=salesforce.version if isinstance(salesforce, SalesforceContact) else "",
                netsuite_version=netsuite.version if isinstance(netsuite, NetSuiteContact) else "",
            )
        journal.append(
            tx,
            [
                Entry("link restored", item.entity, item.salesforce_id, item.netsuite_id, why, by)
                for item in missing
            ],
            now=now,
        )

    def _agreed(self, finding: Finding) -> Fields:
        salesforce, netsuite = finding.salesforce, finding.netsuite
        if isinstance(salesforce, SalesforceContact) and isinstance(netsuite, NetSuiteContact):
            return contacts_agreed(self._connection.contacts.mapping, salesforce, netsuite)
        if isinstance(salesforce, SalesforceAccount) and isinstance(netsuite, NetSuiteCustomer):
            return accounts_agreed(self._connection.accounts.mapping, salesforce, netsuite)
        return {}

    async def _compared(self, entity: Entity, batch: Sequence[Finding]) -> list[Finding]:
        """A pair that the link table knows otherwise is a contradiction too: a link never moves by itself."""

        def compare(tx: Tx) -> list[Finding]:
            ours = links.by_salesforce(
                tx, entity, [item.salesforce_id for item in batch if item.salesforce_id]
            )
            theirs = links.by_netsuite(tx, entity, [item.netsuite_id for item in batch if item.netsuite_id])
            compared = []
            for item in batch:
                link = ours.get(item.salesforce_id or "")
                holder = theirs.get(item.netsuite_id or "")
                linked = link.netsuite_id if link and link.state is LinkState.LINKED else None
                if not restorable(item) or (linked is None and holder is None):
                    compared.append(item)
                elif linked == item.netsuite_id:
                    compared.append(replace(item, known=True))
                elif holder is not None and holder.salesforce_id == item.salesforce_id:
                    compared.append(item)  # an intent that was never confirmed, for this very pair
                else:
                    told = linked or (holder.salesforce_id if holder else "")
                    why = f"Twinbook's own link table has it with {told}"
                    compared.append(replace(item, verdict=Verdict.CONTRADICTORY, why=why))
            return compared

        return await self._connection.store.read(compare)


def restorable(finding: Finding) -> bool:
    """Whether a finding says clearly enough what belongs together."""
    if finding.verdict is Verdict.CONSISTENT:
        return True
    account = finding.salesforce
    named_in_salesforce = isinstance(account, SalesforceAccount) and bool(bearer(account).names)
    return finding.verdict is Verdict.ONE_SIDED and named_in_salesforce and finding.netsuite is not None
