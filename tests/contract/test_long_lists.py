"""Lists that are too long for pages: Bulk query jobs of the sandbox's org, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import replace

import pytest
import pytest_asyncio
from tests.contract.salesforce_orgs import CONFIG, OrgInSandbox

from twinbook.domain.ports import Stamp
from twinbook.domain.records import Entity
from twinbook.domain.versions import SETTLED_AFTER_S, moment_of
from twinbook.salesforce.bulk import BulkQuery
from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.salesforce.org import SalesforceOrg

ID_FIELD = CONFIG.id_field


@pytest.fixture(scope="module")
def sandbox_org() -> Iterator[SalesforceOrg]:
    org = SalesforceOrg(Clock())
    yield org
    org.close()


@pytest_asyncio.fixture
async def org(sandbox_org: SalesforceOrg) -> AsyncIterator[OrgInSandbox]:
    config = replace(CONFIG, bulk_from=5, bulk_size=4)
    async with OrgInSandbox.serve(sandbox_org, Clock(), config) as served:
        yield served


async def people(org: OrgInSandbox, number: int) -> list[str]:
    account = await org.account("Acme", **{ID_FIELD: "800"})
    return [
        await org.contact(LastName=f"N{n}", AccountId=account, **{ID_FIELD: str(n) if n % 2 else None})
        for n in range(number)
    ]


async def listed(org: OrgInSandbox, after: str | None = None) -> list[Stamp]:
    found: list[Stamp] = []
    for _ in range(20):
        page = await org.side.list_stamps(after)
        found += page.stamps
        after = page.next
        if after is None:
            return found
    raise AssertionError("the list does not end")


async def test_a_job_lists_what_pages_would(org: OrgInSandbox) -> None:
    ids = await people(org, 11)
    stamps = await listed(org)
    read = await org.side.read_contacts(ids)
    assert sorted(stamps) == [
        Stamp(id_, moment_of(read[id_].version), read[id_].netsuite_id, "800") for id_ in sorted(ids)
    ]
    counted = org.traffic.counters
    assert counted["bulk.query.results"].calls == 3
    assert counted["bulk.query.delete"].calls == 1


@pytest.mark.parametrize("bulk_from", [1, 100])
async def test_what_is_read_in_the_second_of_its_change_equals_no_stamp(bulk_from: int) -> None:
    clock = Clock()
    with closing(SalesforceOrg(clock)) as emulated:
        async with OrgInSandbox.serve(emulated, clock, replace(CONFIG, bulk_from=bulk_from)) as org:
            id_ = await org.contact(LastName="Hasty")
            young = (await org.side.read_contacts([id_]))[id_].version
            [stamp] = await listed(org)
            assert stamp.version != young
            clock.advance(2 * SETTLED_AFTER_S)
            assert (await org.side.read_contacts([id_]))[id_].version == stamp.version


async def test_few_records_are_listed_by_pages(org: OrgInSandbox) -> None:
    await people(org, 4)
    assert len(await listed(org)) == 4
    assert "bulk.query.create" not in org.traffic.counters


async def test_keys_are_listed_the_same_way(org: OrgInSandbox) -> None:
    ids = await people(org, 9)
    found: list[str] = []
    after: str | None = None
    for _ in range(20):
        page = await org.side.list_keys(Entity.CONTACT, after)
        found += [key.id for key in page.keys]
        after = page.next
        if after is None:
            break
    assert sorted(found) == sorted(ids)


async def test_a_list_goes_on_where_it_was(org: OrgInSandbox) -> None:
    ids = await people(org, 11)
    waiting = await org.side.list_stamps(None)
    first = await org.side.list_stamps(waiting.next)
    assert (len(waiting.stamps), len(first.stamps)) == (0, 4)
    # Another process, later: it knows nothing but the position.
    rest = await listed(org, first.next)
    assert sorted(stamp.id for stamp in (*first.stamps, *rest)) == sorted(ids)


@pytest.mark.parametrize("when", ["before", "amid"])
async def test_a_job_that_is_lost_is_made_good_by_pages(org: OrgInSandbox, when: str) -> None:
    ids = await people(org, 11)
    position = (await org.side.list_stamps(None)).next
    assert position is not None
    job = position.split(":")[1]
    if when == "amid":
        position = (await org.side.list_stamps(position)).next
    bulk = BulkQuery(org.side.rest)
    while not await bulk.is_complete(job):
        pass
    await bulk.forget(job)
    assert sorted({stamp.id for stamp in await listed(org, position)}) == sorted(ids)
