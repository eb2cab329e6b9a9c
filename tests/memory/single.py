"""Writing one NetSuite record at a time, for tests that look at a single one."""

from __future__ import annotations

from twinbook.domain.ports import Create, Delete, NetSuitePort, Update, WriteResult
from twinbook.domain.records import Fields


async def create_contact(side: NetSuitePort, external_id: str, fields: Fields) -> WriteResult:
    return (await side.write_contacts({external_id: Create(external_id, fields)}))[external_id]


async def update_contact(side: NetSuitePort, id_: str, fields: Fields) -> WriteResult:
    return (await side.write_contacts({id_: Update(id_, fields)}))[id_]


async def delete_contact(side: NetSuitePort, id_: str) -> WriteResult:
    return (await side.write_contacts({id_: Delete(id_)}))[id_]


async def create_customer(side: NetSuitePort, external_id: str, fields: Fields) -> WriteResult:
    return (await side.write_customers({external_id: Create(external_id, fields)}))[external_id]


async def update_customer(side: NetSuitePort, id_: str, fields: Fields) -> WriteResult:
    return (await side.write_customers({id_: Update(id_, fields)}))[id_]
