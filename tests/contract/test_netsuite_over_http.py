"""What only a real connection can show: logins, budgets of calls, and what other people's lines go through."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.contract.netsuite_accounts import (
    ID_FIELD,
    SUBSIDIARY,
    AccountInSandbox,
    account_in_sandbox,
    new_account_file,
    running_account,
)
from tests.memory.single import create_contact, update_contact

from twinbook.domain.errors import PermanentError
from twinbook.domain.ports import ContactQuery, Failed, Written
from twinbook.domain.records import Entity
from twinbook_sandbox.netsuite.account import NetSuiteAccount

HOUR = 3600.0


@pytest.fixture(scope="session")
def account_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_account_file(tmp_path_factory.mktemp("netsuite") / "account.sqlite")


@pytest.fixture
async def emulated(account_file: Path, tmp_path: Path) -> AsyncIterator[NetSuiteAccount]:
    async with running_account(Path(shutil.copy(account_file, tmp_path / "account.sqlite"))) as running:
        yield running


@pytest.fixture
async def account(emulated: NetSuiteAccount) -> AsyncIterator[AccountInSandbox]:
    async with account_in_sandbox(emulated) as in_sandbox:
        yield in_sandbox


@pytest.mark.parametrize("login", ["ec", "rsa", "tba"])
async def test_every_kind_of_login_reads_and_writes(emulated: NetSuiteAccount, login: str) -> None:
    async with account_in_sandbox(emulated, login) as account:
        written = await create_contact(
            account.side, "SFC_1", {"lastName": "Lovelace", "subsidiary": SUBSIDIARY}
        )
        assert isinstance(written, Written), written
        (found,) = await account.side.find_contacts(ContactQuery(names=frozenset({"lovelace"})))
        assert found.id == written.id


async def test_one_token_serves_all_calls_and_is_renewed_when_it_is_revoked(
    account: AccountInSandbox,
) -> None:
    id_ = await account.contact(lastName="Lovelace")
    await asyncio.gather(*(update_contact(account.side, id_, {"title": f"Rank {n}"}) for n in range(10)))
    assert await account.control.calls(["token"]) == 1
    await account.control.act("revoke_tokens")
    results = await asyncio.gather(
        *(update_contact(account.side, id_, {"title": f"R {n}"}) for n in range(10))
    )
    assert results == [Written(id_)] * 10
    assert await account.control.calls(["token"]) == 2


async def test_a_revoked_certificate_is_named_and_not_hammered(
    emulated: NetSuiteAccount, account: AccountInSandbox
) -> None:
    id_ = await account.contact(lastName="Lovelace")
    await account.control.act("revoke_certificate", certificate_id=emulated.credentials()["certificate_id"])
    for _ in range(3):
        refused = await update_contact(account.side, id_, {"title": "CTO"})
        assert isinstance(refused, Failed)
        assert refused.of_call, "no record is to blame"
        assert isinstance(refused.error, PermanentError)
        assert refused.error.code == "INVALID_CLIENT"
        assert "certificate" in refused.error.remedy
    assert await account.control.calls(["token"]) == 1


async def test_the_budget_of_calls_is_kept(account: AccountInSandbox) -> None:
    ids = [await account.contact(lastName=f"Number {n}") for n in range(8)]
    await account.control.set_latency(20)
    results = await asyncio.gather(
        *(update_contact(account.side, ids[n % 8], {"title": f"Rank {n}"}) for n in range(40))
    )
    assert all(isinstance(result, Written) for result in results)
    counters = await account.control.counters()
    assert counters["high_water"] <= account.side.permits.limit
    assert account.side.permits.high_water == account.side.permits.limit == 4


async def test_a_batch_is_found_with_one_call(account: AccountInSandbox) -> None:
    acme = await account.customer("Acme")
    for n in range(12):
        await account.contact(lastName=f"Number {n}", email=f"n{n}@acme.example", company=acme)
    await account.side.describe(Entity.CONTACT)
    await account.control.reset_counters()
    emails = frozenset(f"N{n}@acme.example" for n in range(200))
    found = await account.side.find_contacts(ContactQuery(emails=emails, salesforce_ids=frozenset({"003A"})))
    assert len(found) == 12
    assert await account.control.calls() == 1


async def test_an_address_write_leaves_other_lines_and_other_parts_alone(
    emulated: NetSuiteAccount, account: AccountInSandbox
) -> None:
    yard = {
        "label": "Yard",
        "addressBookAddress": {"addr1": "Werft 1", "city": "Kiel", "country": {"id": "DE"}},
    }
    office = {
        "label": "Office",
        "defaultBilling": True,
        "addressBookAddress": {"addressee": "Ada", "addr1": "A 1", "city": "Bonn", "country": {"id": "DE"}},
    }
    id_ = await account.contact(lastName="Lovelace", addressBook={"items": [yard, office]})
    changed = {"address.city": "Berlin", "address.street": "B 2\nHof"}
    assert await update_contact(account.side, id_, changed) == Written(id_)
    rows = emulated.storage.rows(
        "SELECT label, addressee, addr1, addr2, city FROM address WHERE entity = ? ORDER BY label",
        (int(id_),),
    )
    assert [tuple(row) for row in rows] == [
        ("Office", "Ada", "B 2", "Hof", "Berlin"),
        ("Yard", None, "Werft 1", None, "Kiel"),
    ]


async def test_an_account_without_subsidiaries(emulated: NetSuiteAccount) -> None:
    emulated.switches.oneworld = False
    async with account_in_sandbox(emulated) as account:
        made = await create_contact(account.side, "SFC_1", {"lastName": "Lovelace", ID_FIELD: "003A"})
        assert isinstance(made, Written), made
        (contact,) = await account.side.find_contacts(ContactQuery(ids=frozenset({made.id})))
        assert "subsidiary" not in contact.fields
        assert not (await account.side.discover()).oneworld


async def test_discovery_of_an_account_that_has_everything(account: AccountInSandbox) -> None:
    facts = await account.side.discover()
    assert facts.ok, facts.probes
    assert facts.oneworld
    assert facts.missing_fields == ()
    assert facts.clock_offset_s is not None
    assert abs(facts.clock_offset_s) <= 2


async def test_discovery_tells_the_clocks_apart(account: AccountInSandbox) -> None:
    await account.control.advance(HOUR)
    facts = await account.side.discover()
    assert not facts.ok, "an assertion of an hour ago has expired"
    assert facts.probes[0].name == "login"
    assert "clock" in facts.probes[0].remedy


async def test_discovery_names_missing_permissions(
    emulated: NetSuiteAccount, account: AccountInSandbox
) -> None:
    emulated.switches.role_permissions = {"LIST_CUSTJOB": "NONE", "ADMI_DELETEDRECORD": "NONE"}
    facts = await account.side.discover()
    failed = {probe.name for probe in facts.probes if not probe.ok}
    assert {"read customers", "read deleted records"} <= failed
    assert "read contacts" not in failed


async def test_polling_survives_the_hour_that_repeats_in_autumn(emulated: NetSuiteAccount) -> None:
    """Stamps are local time in this account: at 09:00 UTC its clocks go from 02:00 back to 01:00."""
    now, elapsed = datetime(2027, 11, 7, 8, 59, 50, tzinfo=UTC), 0.0
    async with account_in_sandbox(
        emulated, wall=lambda: now.timestamp(), monotonic=lambda: elapsed
    ) as account:
        await account.control.freeze(now)
        cursor = (await account.side.changes_since(Entity.CONTACT, None)).cursor
        before = await account.contact(lastName="Before")
        changes = await account.side.changes_since(Entity.CONTACT, cursor)
        assert [key.id for key in changes.keys] == [before]
        now, elapsed = now + timedelta(minutes=11), 660.0
        await account.control.freeze(now)
        after = await account.contact(lastName="After")
        assert (await version(account, after)) < (await version(account, before))
        changes = await account.side.changes_since(Entity.CONTACT, changes.cursor)
        assert after in {key.id for key in changes.keys}


async def version(account: AccountInSandbox, id_: str) -> str:
    (contact,) = await account.side.find_contacts(ContactQuery(ids=frozenset({id_})))
    return contact.version
