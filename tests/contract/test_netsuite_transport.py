"""Which way contacts take: the RESTlet where it is deployed for the login, else REST."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.contract.netsuite_accounts import (
    SUBSIDIARY,
    AccountInSandbox,
    account_in_sandbox,
    new_account_file,
    running_account,
)

from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.domain.ports import ContactQuery, Create, Delete, Failed, NetSuiteWrite, Update, Written
from twinbook.domain.records import NetSuiteContact
from twinbook.domain.versions import moment_of
from twinbook.netsuite.transport import FIRST_WAIT_S
from twinbook_sandbox.netsuite.account import NetSuiteAccount


@pytest.fixture(scope="module")
def account_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_account_file(tmp_path_factory.mktemp("netsuite") / "account.sqlite")


@pytest.fixture
async def emulated(account_file: Path, tmp_path: Path) -> AsyncIterator[NetSuiteAccount]:
    async with running_account(Path(shutil.copy(account_file, tmp_path / "account.sqlite"))) as running:
        yield running


def creates(number: int, **more: str) -> dict[str, NetSuiteWrite]:
    return {
        f"k{n}": Create(f"SFC_{n}", {"lastName": f"Number {n}", "subsidiary": SUBSIDIARY, **more})
        for n in range(number)
    }


async def test_a_batch_goes_through_the_restlet_and_tells_what_was_kept(emulated: NetSuiteAccount) -> None:
    async with account_in_sandbox(emulated, transport="auto") as account:
        await account.side.write_contacts({})
        await account.control.reset_counters()
        results = await account.side.write_contacts(creates(120, title="  CTO "))
        kinds = (await account.control.counters())["kinds"]
        assert {
            kind: count["calls"] for kind, count in kinds.items() if kind in ("restlet", "contact.put")
        } == {"restlet": 3}
        for result in results.values():
            assert isinstance(result, Written)
            assert isinstance(result.kept, NetSuiteContact)
            assert (result.kept.id, result.kept.fields["title"]) == (result.id, "CTO")


async def test_without_a_deployment_auto_is_rest(emulated: NetSuiteAccount) -> None:
    async with account_in_sandbox(emulated, transport="auto", deployed=False) as account:
        results = await account.side.write_contacts(creates(2))
        assert all(isinstance(result, Written) and result.kept is None for result in results.values())
        with pytest.raises(PermanentError) as refused:
            await account.side.restlet_release()
        assert refused.value.code == "NO_RESTLET"
        assert "packages/netsuite" in refused.value.remedy


class Time:
    """Monotonic seconds, moved by the test."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


async def kinds_of_calls(account: AccountInSandbox) -> dict[str, int]:
    """Calls by kind since the last look, logins left out."""
    kinds = (await account.control.counters())["kinds"]
    await account.control.reset_counters()
    return {kind: count["calls"] for kind, count in kinds.items() if kind not in ("token", "metadata")}


async def switch_script(account: AccountInSandbox, *, deployed: bool) -> None:
    await account.control.act("switch_script", script="customscript_twinbook_batch", deployed=deployed)


async def test_a_script_that_is_undeployed_while_running_is_done_without_until_it_is_back(
    emulated: NetSuiteAccount,
) -> None:
    time = Time()
    async with account_in_sandbox(emulated, transport="auto", monotonic=time) as account:
        results = await account.side.write_contacts(creates(3))
        ids = frozenset(result.id for result in results.values() if isinstance(result, Written))
        assert all(contact.binds for contact in await account.side.find_contacts(ContactQuery(ids=ids)))
        await switch_script(account, deployed=False)
        await kinds_of_calls(account)

        read = await account.side.find_contacts(ContactQuery(ids=ids))
        assert {contact.id for contact in read} == ids
        assert not any(contact.binds for contact in read), "REST read it: the RESTlet may not compare it"
        assert account.side.notice is not None
        assert "NO_RESTLET" in account.side.notice
        assert await kinds_of_calls(account) == {"restlet": 1, "suiteql": 1}
        again = await account.side.write_contacts({id_: Update(id_, {"title": "CTO"}) for id_ in ids})
        assert all(isinstance(result, Written) for result in again.values())
        assert await kinds_of_calls(account) == {"contact.patch": 3}

        time.now += FIRST_WAIT_S
        await account.side.find_contacts(ContactQuery(ids=ids))
        assert await kinds_of_calls(account) == {"restlet": 1, "suiteql": 1}, "it was looked for once"
        await switch_script(account, deployed=True)
        await account.side.find_contacts(ContactQuery(ids=ids))
        assert await kinds_of_calls(account) == {"suiteql": 1}, "not before its time"
        time.now += 2 * FIRST_WAIT_S
        read = await account.side.find_contacts(ContactQuery(ids=ids))
        assert await kinds_of_calls(account) == {"restlet": 2}
        assert all(contact.binds and contact.fields["title"] == "CTO" for contact in read)
        assert account.side.notice is None


async def test_a_batch_that_the_script_is_not_there_for_is_written_over_rest(
    emulated: NetSuiteAccount,
) -> None:
    async with account_in_sandbox(emulated, transport="auto") as account:
        await switch_script(account, deployed=False)
        results = await account.side.write_contacts(creates(2))
        assert all(isinstance(result, Written) for result in results.values())
        assert len({result.id for result in results.values() if isinstance(result, Written)}) == 2


@pytest.mark.parametrize(
    ("status", "code"), [(403, "INSUFFICIENT_PERMISSION"), (401, "INVALID_LOGIN_ATTEMPT")]
)
async def test_a_script_that_refuses_the_login_is_done_without(
    emulated: NetSuiteAccount, status: int, code: str
) -> None:
    async with account_in_sandbox(emulated, transport="auto") as account:
        id_ = await account.contact(lastName="Lovelace")
        await account.control.add_fault("reject", kind="restlet", status=status, code=code, times=None)
        [read] = await account.side.find_contacts(ContactQuery(ids=frozenset({id_})))
        assert (read.id, read.binds) == (id_, False)


async def test_a_fault_that_passes_is_no_reason_to_leave_the_script(emulated: NetSuiteAccount) -> None:
    async with account_in_sandbox(emulated, transport="auto") as account:
        await account.control.add_fault("status", kind="restlet", status=503)
        with pytest.raises(TemporaryError):
            await account.side.find_contacts(ContactQuery(ids=frozenset({"1"})))
        assert account.side.notice is None


async def test_with_restlet_alone_a_script_that_is_gone_is_an_error(emulated: NetSuiteAccount) -> None:
    async with account_in_sandbox(emulated, transport="restlet") as account:
        await switch_script(account, deployed=False)
        with pytest.raises(PermanentError, match="NO_RESTLET"):
            await account.side.find_contacts(ContactQuery(ids=frozenset({"1"})))


@pytest.mark.parametrize("transport", ["rest", "restlet"])
@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Kathmandu"])
async def test_what_is_read_in_the_second_of_its_change_equals_no_stamp(
    emulated: NetSuiteAccount, transport: str, zone: str
) -> None:
    emulated.switches.company_time_zone = zone
    async with account_in_sandbox(emulated, transport=transport) as account:
        id_ = await account.contact(lastName="Hasty")

        async def version() -> str:
            [read] = await account.side.find_contacts(ContactQuery(ids=frozenset({id_})))
            return read.version

        young = await version()
        [stamp] = [each for each in (await account.side.list_stamps(None)).stamps if each.id == id_]
        assert stamp.version != young
        written = await account.side.write_contacts({"k": Update(id_, {"title": "CTO"}, young)})
        assert isinstance(written["k"], Written)
        kept = written["k"].kept
        assert kept is None or kept.version != moment_of(kept.version)
        await account.control.advance(60)
        [stamp] = [each for each in (await account.side.list_stamps(None)).stamps if each.id == id_]
        assert await version() == stamp.version


async def test_a_stale_write_is_temporary_and_the_next_look_succeeds(emulated: NetSuiteAccount) -> None:
    async with account_in_sandbox(emulated, transport="restlet") as account:
        id_ = await account.contact(lastName="Lovelace")
        (seen,) = await account.side.find_contacts(ContactQuery(ids=frozenset({id_})))
        await account.control.advance(2)
        await account.control.update("contact", id_, {"title": "Theirs"})
        result = (
            await account.side.write_contacts({"k": Update(id_, {"phone": "030 1234567"}, seen.version)})
        )["k"]
        assert isinstance(result, Failed)
        assert isinstance(result.error, TemporaryError)
        assert (result.error.code, result.of_call) == ("RECORD_CHANGED", False)
        (seen,) = await account.side.find_contacts(ContactQuery(ids=frozenset({id_})))
        again = (
            await account.side.write_contacts({"k": Update(id_, {"phone": "030 1234567"}, seen.version)})
        )["k"]
        assert isinstance(again, Written)


async def test_what_is_deferred_is_sent_again_until_nothing_is_left(emulated: NetSuiteAccount) -> None:
    emulated.switches.restlet_units = 250
    async with account_in_sandbox(emulated, transport="restlet") as account:
        results = await account.side.write_contacts(creates(50))
        assert len(results) == 50
        assert all(isinstance(result, Written) for result in results.values())


async def test_a_script_that_gets_nowhere_is_not_called_for_ever(emulated: NetSuiteAccount) -> None:
    emulated.switches.restlet_units = 30
    async with account_in_sandbox(emulated, transport="restlet") as account:
        results = await account.side.write_contacts(creates(3))
        codes = {result.error.code for result in results.values() if isinstance(result, Failed)}
        assert codes <= {"SCRIPT_TOO_SLOW", "SCRIPT_CUT_SHORT"}
        assert len(results) == 3
        assert all(isinstance(result, Failed) and result.of_call for result in results.values())
        assert await account.control.calls(["restlet"]) == 1


async def test_a_script_that_is_ended_leaves_the_outcome_open(emulated: NetSuiteAccount) -> None:
    async with account_in_sandbox(emulated, transport="restlet") as account:
        text = "Script Execution Time Exceeded."
        fault = {"kind": "restlet", "status": 400, "code": "SSS_TIME_LIMIT_EXCEEDED", "message": text}
        await account.control.add_fault("reject", **fault)
        (result,) = (await account.side.write_contacts({"k": Delete("1001")})).values()
        assert isinstance(result, Failed)
        assert isinstance(result.error, TemporaryError)
        assert (result.error.code, result.error.outcome_unknown) == ("SCRIPT_CUT_SHORT", True)
