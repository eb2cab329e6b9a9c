"""Which account a NetSuite company belongs to. Salesforce decides: it is the account that carries the customer's id."""

from __future__ import annotations

from collections.abc import Iterable

from twinbook.domain.plan import Gate
from twinbook.domain.ports import SalesforcePort


async def gates_of(salesforce: SalesforcePort, company_ids: Iterable[str | None]) -> dict[str, Gate]:
    """The accounts of these companies, by company id; companies that belong to no account are absent."""
    wanted = sorted({id_ for id_ in company_ids if id_})
    if not wanted:
        return {}
    accounts = await salesforce.find_accounts(wanted)
    return {
        account.netsuite_id: Gate(account.id, account.name, account.netsuite_id)
        for account in accounts
        if account.netsuite_id
    }
