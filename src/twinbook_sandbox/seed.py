"""Writes the data set into both systems, as their users would have: see `population` for what is in it.

Both systems get what fits together: linked accounts carry the id of a customer that carries theirs, and NetSuite
knows a part of the contacts without any link, as it is before an integration runs for the first time.
"""

import asyncio
from collections import Counter
from datetime import date, timedelta
from itertools import islice
from typing import Any

from twinbook_sandbox.netsuite.account import NetSuiteAccount
from twinbook_sandbox.population import Company, Dataset, Known, Population, Someone, Standing
from twinbook_sandbox.salesforce.org import SalesforceOrg

BATCH = 200
"""Contacts that are written together; between two batches other tasks of the process may run."""
SALESFORCE_ID_FIELD = "NetSuite_Id__c"
NETSUITE_ID_FIELD = "custentity_twinbook_sf_id"


class Seeder:
    """Writes one data set, once. ``counts`` tells how many records of each type were made."""

    def __init__(
        self, salesforce: SalesforceOrg, netsuite: NetSuiteAccount, dataset: Dataset, today: date
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._salesforce = salesforce
        self._netsuite = netsuite
        self._population = Population(dataset)
        self._today = today
        self._accounts: list[str] = []
        self._customers: list[str | None] = []
        self._opportunities: dict[int, str] = {}
        self._contact_names: set[tuple[str | None, str]] = set()

    async def run(self) -> dict[str, int]:
        """Write everything; lets other tasks run in between."""
        for company in self._population.companies:
            self._write_company(company)
            await asyncio.sleep(0)
        people = self._population.people()
        while batch := list(islice(people, BATCH)):
            self._write_people(batch)
            await asyncio.sleep(0)
        return dict(self.counts)

    def _in_salesforce(self, type_: str, records: list[dict[str, Any]]) -> list[str]:
        self.counts[f"salesforce.{type_}"] += len(records)
        return self._salesforce.insert_many(type_, [_filled(record) for record in records])

    def _in_netsuite(self, type_: str, record: dict[str, Any]) -> str:
        self.counts[f"netsuite.{type_}"] += 1
        return self._netsuite.insert(type_, _filled(record))

    def _write_company(self, company: Company) -> None:
        customer = None
        if company.standing is not Standing.PROSPECT:
            customer = self._in_netsuite("customer", self._customer_fields(company))
        linked = customer if company.standing is Standing.LINKED else None
        (account,) = self._in_salesforce("Account", [self._account_fields(company, linked)])
        if linked is not None:
            self._netsuite.update("customer", linked, {NETSUITE_ID_FIELD: account})
        self._customers.append(customer)
        self._accounts.append(account)
        opportunity = _opportunity_fields(company, account, self._today)
        if opportunity:
            (self._opportunities[company.number],) = self._in_salesforce("Opportunity", [opportunity])

    def _customer_fields(self, company: Company) -> dict[str, Any]:
        parent = self._customers[company.parent] if company.parent is not None else None
        return {
            "companyName": company.name,
            "isPerson": False,
            "subsidiary": {"id": "1"},
            "phone": company.phone,
            "url": f"https://www.{company.domain}",
            "parent": {"id": parent} if parent else None,
            "addressBook": {"items": [_address_line(company, company.name)]},
        }

    def _account_fields(self, company: Company, customer: str | None) -> dict[str, Any]:
        return {
            "Name": company.name,
            "Phone": company.phone,
            "Website": f"https://www.{company.domain}",
            "Industry": company.industry,
            "Type": "Customer - Direct" if customer else "Prospect",
            "ParentId": self._accounts[company.parent] if company.parent is not None else None,
            **_address("Billing", company),
            SALESFORCE_ID_FIELD: customer,
        }

    def _write_people(self, people: list[Someone]) -> None:
        companies = [self._population.companies[someone.company] for someone in people]
        accounts = [self._accounts[company.number] for company in companies]
        ids = self._in_salesforce("Contact", list(map(_contact_fields, people, companies, accounts)))
        self._write_roles(list(zip(ids, people, strict=True)))
        for someone, company in zip(people, companies, strict=True):
            customer = self._customers[company.number]
            if customer is not None:
                self._write_known(someone, company, customer)

    def _write_roles(self, people: list[tuple[str, Someone]]) -> None:
        roles = [
            {"AccountId": self._accounts[someone.company], "ContactId": id_, "Role": someone.account_role}
            for id_, someone in people
            if someone.account_role
        ]
        relations = [
            {"AccountId": self._accounts[someone.elsewhere], "ContactId": id_, "Roles": "Influencer"}
            for id_, someone in people
            if someone.elsewhere is not None and someone.elsewhere != someone.company
        ]
        buyers = [
            {"OpportunityId": opportunity, "ContactId": id_, "Role": "Decision Maker"}
            for id_, someone in people[::7]
            if (opportunity := self._opportunities.get(someone.company))
        ]
        self._in_salesforce("AccountContactRole", roles)
        self._in_salesforce("AccountContactRelation", relations)
        self._in_salesforce("OpportunityContactRole", buyers)

    def _write_known(self, someone: Someone, company: Company, customer: str) -> None:
        same = _netsuite_contact(someone, company)
        match someone.known:
            case Known.AT_COMPANY:
                self._write_contact(same, customer)
            case Known.WITHOUT_COMPANY:
                self._write_contact(same, None)
            case Known.TWICE:
                self._write_contact(same, customer)
                self._write_contact(same, None)
            case Known.INACTIVE:
                self._write_contact({**same, "isInactive": True}, customer)
            case Known.NAMESAKE:
                self._write_contact({**same, "email": f"archive.{same['email']}"}, customer)
            case Known.NOT:
                pass

    def _write_contact(self, fields: dict[str, Any], customer: str | None) -> None:
        # A name can be taken once per company (netsuite.md 3.3); who comes second is not known to NetSuite.
        name = (customer, f"{fields['firstName']} {fields['lastName']}".casefold())
        if name not in self._contact_names:
            self._contact_names.add(name)
            company = {"id": customer} if customer else None
            self._in_netsuite("contact", {**fields, "company": company})


def _filled(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if value is not None}


def _address(prefix: str, company: Company) -> dict[str, Any]:
    return {
        f"{prefix}Street": company.street,
        f"{prefix}City": company.town.name,
        f"{prefix}State": company.town.state or None,
        f"{prefix}PostalCode": company.postal_code,
        f"{prefix}Country": company.country.name,
    }


def _address_line(company: Company, addressee: str) -> dict[str, Any]:
    address = {
        "addressee": addressee,
        "addr1": company.street,
        "city": company.town.name,
        "state": company.town.state or None,
        "zip": company.postal_code,
        "country": {"id": company.country.code},
    }
    return {
        "label": "Office",
        "defaultBilling": True,
        "defaultShipping": True,
        "addressBookAddress": _filled(address),
    }


def _contact_fields(someone: Someone, company: Company, account: str) -> dict[str, Any]:
    return {
        "AccountId": account,
        "Salutation": someone.salutation,
        "FirstName": someone.first_name,
        "LastName": someone.last_name,
        "Title": someone.title,
        "Department": someone.department,
        "Email": someone.email,
        "Phone": someone.phone,
        "MobilePhone": someone.mobile,
        "Description": someone.notes,
        **_address("Mailing", company),
    }


def _netsuite_contact(someone: Someone, company: Company) -> dict[str, Any]:
    """What NetSuite knows of the person: typed by others, so less complete and with the phone written plainly."""
    plain_phone = "".join(sign for sign in someone.phone or "" if sign in "+0123456789")
    return {
        "firstName": someone.first_name,
        "lastName": someone.last_name,
        "email": (someone.email or "").lower(),
        "phone": plain_phone or None,
        "title": someone.title if someone.mobile else None,
        "subsidiary": {"id": "1"},
        "addressBook": {"items": [_address_line(company, f"{someone.first_name} {someone.last_name}")]},
    }


def _opportunity_fields(company: Company, account: str, today: date) -> dict[str, Any] | None:
    """Linked accounts were won long ago; every other prospect has something open."""
    if company.standing is Standing.LINKED:
        stage, closing = "Closed Won", today - timedelta(days=200 + company.number % 700)
    elif company.number % 2:
        stage, closing = "Negotiation/Review", today + timedelta(days=10 + company.number % 60)
    else:
        return None
    return {
        "AccountId": account,
        "Name": f"{company.name[:90]} - first order",
        "StageName": stage,
        "CloseDate": closing.isoformat(),
        "Amount": 1000 * (5 + company.number % 95),
    }
