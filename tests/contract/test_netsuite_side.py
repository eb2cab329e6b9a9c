"""What the engine may expect of a NetSuite account: in memory, the sandbox over HTTP, or a real one."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Literal

import pytest
from tests.contract import real_systems
from tests.contract.netsuite_accounts import (
    ID_FIELD,
    LOCKED_FIELD,
    SUBSIDIARY,
    Account,
    account_in_memory,
    account_in_sandbox,
    new_account_file,
    running_account,
)
from tests.memory.single import (
    create_contact,
    create_customer,
    delete_contact,
    update_contact,
    update_customer,
)

from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.domain.ports import ContactQuery, Failed, Stamp, WriteResult, Written
from twinbook.domain.records import Entity, Key, NetSuiteContact, Side, Value
from twinbook.domain.versions import moment_of

SF_ID = "003Kx00000AbCdEIAV"
ACCOUNT_SF_ID = "001Kx00000AbCdEIAV"
KEY, KEY_2, KEY_3, SHARED = (f"SFC_{uuid.uuid4().hex}" for _ in range(4))
"""External ids that no record of a real account has: what is written by them is deleted again."""
ADDRESS = {
    "address.street": "Hauptstr. 5\nHinterhof",
    "address.city": "Berlin",
    "address.state": "BE",
    "address.zip": "10115",
    "address.country": "DE",
}


@pytest.fixture(scope="session")
def account_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_account_file(tmp_path_factory.mktemp("netsuite") / "account.sqlite")


_TRANSPORTS: Mapping[str, Literal["rest", "restlet"]] = {"sandbox": "rest", "restlet": "restlet"}


@pytest.fixture(params=[*real_systems.systems, "restlet"])
async def account(
    request: pytest.FixtureRequest, account_file: Path, tmp_path: Path
) -> AsyncIterator[Account]:
    if request.param == "real":
        real_systems.skip_on_real(request)
        async with real_systems.real_account() as real:
            yield real
        return
    if request.param == "memory":
        yield account_in_memory()
        return
    copy = Path(shutil.copy(account_file, tmp_path / "account.sqlite"))
    async with (
        running_account(copy) as emulated,
        account_in_sandbox(emulated, transport=_TRANSPORTS[request.param]) as in_sandbox,
    ):
        yield in_sandbox


def written(result: WriteResult) -> str:
    assert isinstance(result, Written), result
    return result.id


def refused(result: WriteResult) -> PermanentError:
    assert isinstance(result, Failed)
    assert isinstance(result.error, PermanentError)
    return result.error


async def read(account: Account, id_: str) -> NetSuiteContact:
    (contact,) = await account.side.find_contacts(ContactQuery(ids=frozenset({id_})))
    return contact


def fields(last_name: str, **more: Value) -> Mapping[str, Value]:
    return {"lastName": last_name, "subsidiary": SUBSIDIARY, **more}


class TestFinding:
    async def test_by_everything_at_once_each_contact_once(self, account: Account) -> None:
        acme = await account.customer("Acme")
        by_id = await account.contact(lastName="Id", company=acme)
        by_email = await account.contact(lastName="Email", email="Ada@Acme.example", company=acme)
        by_external = await account.contact(lastName="External", externalId=f"SFC_{SF_ID}")
        by_field = await account.contact(lastName="Field", **{ID_FIELD: SF_ID})
        by_name = await account.contact(firstName="Ada", lastName="O'Name")
        await account.contact(lastName="Other", email="other@acme.example")
        query = ContactQuery(
            ids=frozenset({by_id, by_email, "999999999"}),
            emails=frozenset({" ada@ACME.example"}),
            salesforce_ids=frozenset({SF_ID}),
            names=frozenset({"ADA O'NAME"}),
        )
        found = await account.side.find_contacts(query)
        assert sorted(contact.id for contact in found) == sorted(
            [by_id, by_email, by_external, by_field, by_name]
        )

    async def test_what_is_known_of_a_contact(self, account: Account) -> None:
        acme = await account.customer("Acme")
        id_ = await account.contact(
            firstName="Ada",
            lastName="Lovelace",
            email="Ada@Acme.example",
            phone="+49 30 1234567",
            company=acme,
            externalId=f"SFC_{SF_ID}",
            **{ID_FIELD: SF_ID, LOCKED_FIELD: True},
        )
        contact = await read(account, id_)
        assert (contact.id, contact.name, contact.email) == (id_, "Ada Lovelace", "Ada@Acme.example")
        assert (contact.company_id, contact.company_is_customer) == (acme, True)
        assert (contact.external_id, contact.salesforce_id) == (f"SFC_{SF_ID}", SF_ID)
        assert (contact.inactive, contact.locked) == (False, True)
        assert contact.version
        assert contact.fields["phone"] == "+49 30 1234567"
        assert contact.fields["company"] == acme
        assert contact.fields["subsidiary"] == SUBSIDIARY
        assert contact.fields["isInactive"] is False
        assert contact.fields["middleName"] is None
        assert contact.fields["address.city"] is None

    async def test_inactive_contacts_are_found(self, account: Account) -> None:
        id_ = await account.contact(lastName="Gone", email="gone@acme.example", isInactive=True)
        assert (await read(account, id_)).inactive

    async def test_a_contact_without_company(self, account: Account) -> None:
        id_ = await account.contact(lastName="Alone")
        assert (await read(account, id_)).company_id is None

    async def test_hostile_texts_find_nothing_and_break_nothing(self, account: Account) -> None:
        await account.contact(lastName="Innocent", email="innocent@acme.example")
        hostile = frozenset({"' OR '1'='1", "x\x00y", "%", "\\", "O''", "'; DROP TABLE contact --", "\ud800"})
        found = await account.side.find_contacts(
            ContactQuery(emails=hostile, names=hostile, salesforce_ids=hostile, ids=frozenset({"1 OR 1=1"}))
        )
        assert list(found) == []

    @pytest.mark.emulated("names of customers are unique and get a number there")
    async def test_customers(self, account: Account) -> None:
        acme = await account.customer("Acme GmbH", externalId=f"SFA_{ACCOUNT_SF_ID}")
        other = await account.customer("Other", **{ID_FIELD: ACCOUNT_SF_ID})
        await account.customer("Third")
        (customer,) = await account.side.find_customers(names=["  ACME gmbh "])
        assert (customer.id, customer.name, customer.subsidiary_id) == (acme, "Acme GmbH", SUBSIDIARY)
        assert (customer.external_id, customer.inactive) == (f"SFA_{ACCOUNT_SF_ID}", False)
        both = await account.side.find_customers(salesforce_ids=[ACCOUNT_SF_ID])
        assert sorted(found.id for found in both) == sorted([acme, other])
        assert [found.salesforce_id for found in await account.side.find_customers(ids=[other])] == [
            ACCOUNT_SF_ID
        ]


class TestCreating:
    async def test_a_contact_with_all_that_the_map_knows(self, account: Account) -> None:
        acme = await account.customer("Acme")
        given = {
            **fields("Lovelace", firstName="Ada", title="Analyst", email="ada@acme.example", company=acme),
            **ADDRESS,
            ID_FIELD: SF_ID,
        }
        id_ = written(await create_contact(account.side, f"SFC_{SF_ID}", given))
        contact = await read(account, id_)
        assert (contact.external_id, contact.name) == (f"SFC_{SF_ID}", "Ada Lovelace")
        assert {name: contact.fields[name] for name in given} == given

    async def test_the_same_correlation_id_never_makes_a_second_contact(self, account: Account) -> None:
        given = {**fields("Lovelace", firstName="Ada"), **ADDRESS}
        first = written(await create_contact(account.side, KEY, given))
        again = written(await create_contact(account.side, KEY, given))
        assert first == again
        assert (await read(account, first)).fields["address.city"] == "Berlin"

    async def test_a_lost_answer_is_resolved_by_asking_again(self, account: Account) -> None:
        async with account.losing_answers("PUT"):
            lost = await create_contact(account.side, KEY, fields("Lovelace"))
        assert isinstance(lost, Failed)
        assert isinstance(lost.error, TemporaryError)
        assert lost.error.outcome_unknown
        id_ = written(await create_contact(account.side, KEY, fields("Lovelace")))
        found = await account.side.find_contacts(ContactQuery(names=frozenset({"Lovelace"})))
        assert [contact.id for contact in found] == [id_]

    async def test_a_name_is_taken_within_its_company_only(self, account: Account) -> None:
        acme, other = await account.customer("Acme"), await account.customer("Other")
        given = fields("Lovelace", firstName="Ada", company=acme)
        written(await create_contact(account.side, KEY, given))
        error = refused(await create_contact(account.side, KEY_2, {**given, "firstName": "ADA"}))
        assert (error.code, error.field) == ("CONTACT_NAME_TAKEN", "entityId")
        named = {**given, "entityId": "Ada Lovelace (003…AbCd)"}
        assert (await read(account, written(await create_contact(account.side, KEY_2, named)))).name == (
            "Ada Lovelace (003…AbCd)"
        )
        written(await create_contact(account.side, KEY_3, {**given, "company": other}))

    async def test_external_ids_are_shared_with_customers(self, account: Account) -> None:
        await account.customer("Acme", externalId=SHARED)
        error = refused(await create_contact(account.side, SHARED, fields("Lovelace")))
        assert error.code == "EXTERNAL_ID_TAKEN"

    @pytest.mark.parametrize(
        ("given", "code", "field"),
        [
            ({"lastName": "x" * 33, "subsidiary": SUBSIDIARY}, "FIELD_TOO_LONG", "lastName"),
            ({"lastName": "x", "subsidiary": SUBSIDIARY, "phone": "1" * 33}, "FIELD_TOO_LONG", "phone"),
            (
                {"lastName": "x", "subsidiary": SUBSIDIARY, "company": "987654"},
                "INVALID_REFERENCE",
                "company",
            ),
            (
                {"lastName": "x", "subsidiary": SUBSIDIARY, "custentity_nope": "1"},
                "UNKNOWN_FIELD",
                "custentity_nope",
            ),
            ({"lastName": "x"}, "REQUIRED_FIELD_MISSING", "subsidiary"),
        ],
    )
    async def test_refusals_name_code_and_field(
        self, account: Account, given: Mapping[str, Value], code: str, field: str
    ) -> None:
        error = refused(await create_contact(account.side, KEY, given))
        assert (error.code, error.field) == (code, field)
        assert error.message
        assert error.remedy

    async def test_an_external_id_must_be_one(self, account: Account) -> None:
        for bad in ("ada@acme.example", "a/b", "a|b"):
            result = await create_contact(account.side, bad, fields("Lovelace"))
            assert refused(result).code == "INVALID_EXTERNAL_ID"


class TestUpdating:
    async def test_only_given_fields_change_and_none_clears(self, account: Account) -> None:
        id_ = await account.contact(
            firstName="Ada", lastName="Lovelace", title="Analyst", email="a@acme.example"
        )
        before = (await read(account, id_)).fields
        written(await update_contact(account.side, id_, {"title": "CTO", "email": None, "isInactive": True}))
        after = (await read(account, id_)).fields
        changed = {name for name in before if before[name] != after[name]} - {"lastModifiedDate"}
        assert changed == {"title", "email", "isInactive"}
        assert (after["title"], after["email"], after["isInactive"]) == ("CTO", None, True)

    async def test_the_company_moves(self, account: Account) -> None:
        acme, other = await account.customer("Acme"), await account.customer("Other")
        id_ = await account.contact(lastName="Lovelace", company=acme)
        written(await update_contact(account.side, id_, {"company": other}))
        assert (await read(account, id_)).company_id == other

    async def test_a_single_address_field(self, account: Account) -> None:
        id_ = written(await create_contact(account.side, KEY, {**fields("Lovelace"), **ADDRESS}))
        written(await update_contact(account.side, id_, {"address.city": "Potsdam", "address.street": None}))
        kept = (await read(account, id_)).fields
        assert {name: kept[name] for name in ADDRESS} == {
            **ADDRESS,
            "address.city": "Potsdam",
            "address.street": None,
        }

    async def test_a_first_address_on_an_existing_contact(self, account: Account) -> None:
        id_ = await account.contact(lastName="Lovelace")
        written(await update_contact(account.side, id_, ADDRESS))
        kept = (await read(account, id_)).fields
        assert {name: kept[name] for name in ADDRESS} == ADDRESS

    async def test_what_is_kept_is_trimmed(self, account: Account) -> None:
        id_ = await account.contact(lastName="Lovelace")
        written(await update_contact(account.side, id_, {"title": "  CTO "}))
        assert (await read(account, id_)).fields["title"] == "CTO"

    async def test_the_name_clashes_on_update_too(self, account: Account) -> None:
        acme = await account.customer("Acme")
        await account.contact(lastName="Lovelace", company=acme)
        id_ = await account.contact(lastName="King", company=acme)
        error = refused(await update_contact(account.side, id_, {"entityId": "lovelace"}))
        assert error.code == "CONTACT_NAME_TAKEN"

    async def test_a_contact_that_is_gone(self, account: Account) -> None:
        id_ = await account.contact(lastName="Lovelace")
        await account.delete(Entity.CONTACT, id_)
        assert refused(await update_contact(account.side, id_, {"title": "CTO"})).code == "NOT_FOUND"
        assert refused(await update_contact(account.side, id_, {"address.city": "X"})).code == "NOT_FOUND"
        assert refused(await delete_contact(account.side, id_)).code == "NOT_FOUND"
        assert list(await account.side.find_contacts(ContactQuery(ids=frozenset({id_})))) == []

    async def test_a_lost_answer_of_an_update(self, account: Account) -> None:
        id_ = await account.contact(lastName="Lovelace")
        async with account.losing_answers("PATCH"):
            lost = await update_contact(account.side, id_, {"title": "CTO"})
        assert isinstance(lost, Failed)
        assert (await read(account, id_)).fields["title"] == "CTO"

    async def test_a_throttled_call_is_temporary(self, account: Account) -> None:
        id_ = await account.contact(lastName="Lovelace")
        await account.side.describe(Entity.CONTACT)  # so that the next call is the write, not a login
        await account.throttle_next()
        result = await update_contact(account.side, id_, {"title": "CTO"})
        assert isinstance(result, Failed)
        assert isinstance(result.error, TemporaryError)
        assert not result.error.outcome_unknown
        assert (await read(account, id_)).fields["title"] is None

    async def test_deleting(self, account: Account) -> None:
        id_ = await account.contact(lastName="Lovelace")
        assert written(await delete_contact(account.side, id_)) == id_
        assert list(await account.side.find_contacts(ContactQuery(ids=frozenset({id_})))) == []

    async def test_customers_are_created_once_and_updated(self, account: Account) -> None:
        given = {"companyName": "Acme", "subsidiary": SUBSIDIARY, ID_FIELD: ACCOUNT_SF_ID}
        first = written(await create_customer(account.side, f"SFA_{ACCOUNT_SF_ID}", given))
        assert written(await create_customer(account.side, f"SFA_{ACCOUNT_SF_ID}", given)) == first
        written(await update_customer(account.side, first, {"companyName": "Acme AG"}))
        (customer,) = await account.side.find_customers(ids=[first])
        assert (customer.name, customer.salesforce_id) == ("Acme AG", ACCOUNT_SF_ID)


class TestListingAndPolling:
    @pytest.mark.emulated("it counts on an empty account")
    async def test_listing_reaches_every_record_once(self, account: Account) -> None:
        made = [await account.contact(lastName=f"Number {n}", isInactive=n == 2) for n in range(7)]
        listed: list[str] = []
        after: str | None = None
        while True:
            page = await account.side.list_keys(Entity.CONTACT, after)
            listed += [key.id for key in page.keys]
            after = page.next
            if after is None:
                break
        assert listed == sorted(made, key=int)
        assert await account.side.count(Entity.CONTACT) == len(made)

    async def test_stamps_say_what_a_read_says(self, account: Account) -> None:
        made = [
            await account.contact(lastName="By field", **{ID_FIELD: SF_ID}),
            await account.contact(lastName="Alone", isInactive=True),
            *[await account.contact(lastName=f"Number {n}") for n in range(6)],
        ]
        stamps: list[Stamp] = []
        after: str | None = None
        for _ in range(20):
            page = await account.side.list_stamps(after)
            stamps += page.stamps
            after = page.next
            if after is None:
                break
        read = {c.id: c for c in await account.side.find_contacts(ContactQuery(ids=frozenset(made)))}
        bears = {made[0]: SF_ID}
        assert stamps == [
            Stamp(id_, moment_of(read[id_].version), bears.get(id_)) for id_ in sorted(made, key=int)
        ]

    async def test_changes_after_now(self, account: Account) -> None:
        old = await account.contact(lastName="Old")
        cursor = (await account.side.changes_since(Entity.CONTACT, None)).cursor
        made = [await account.contact(lastName=f"New {n}") for n in range(7)]
        await account.edit(Entity.CONTACT, old, title="CTO")
        assert {*made, old} <= await self.all_since(account, cursor)

    async def test_deleted_and_merged_contacts_are_changes(self, account: Account) -> None:
        winner, loser = await account.contact(lastName="Winner"), await account.contact(lastName="Loser")
        doomed = await account.contact(lastName="Doomed")
        cursor = (await account.side.changes_since(Entity.CONTACT, None)).cursor
        await account.delete(Entity.CONTACT, doomed)
        await account.merge(winner, loser)
        gone: set[str] = set()
        assert {doomed, loser, winner} <= await self.all_since(account, cursor, gone)
        assert gone == {doomed, loser}

    @pytest.mark.emulated("others may change records meanwhile")
    async def test_contacts_and_customers_are_polled_apart(self, account: Account) -> None:
        cursor = (await account.side.changes_since(Entity.ACCOUNT, None)).cursor
        await account.contact(lastName="Somebody")
        acme = await account.customer("Acme")
        changes = await account.side.changes_since(Entity.ACCOUNT, cursor)
        assert changes.keys == (Key(Entity.ACCOUNT, Side.NETSUITE, acme),)

    async def test_the_version_moves_when_polling_says_so_or_the_fields_do(self, account: Account) -> None:
        id_ = await account.contact(lastName="Lovelace")
        before = await read(account, id_)
        await account.edit(Entity.CONTACT, id_, title="CTO")
        after = await read(account, id_)
        assert (before.version, before.fields) != (after.version, after.fields)

    async def all_since(self, account: Account, cursor: str, gone: set[str] | None = None) -> set[str]:
        ids: set[str] = set()
        gone = set() if gone is None else gone
        for _ in range(20):
            changes = await account.side.changes_since(Entity.CONTACT, cursor)
            ids |= {key.id for key in changes.keys}
            gone |= {key.id for key in changes.gone}
            assert changes.gone <= set(changes.keys)
            cursor = changes.cursor
            if not changes.more:
                return ids
        raise AssertionError("polling found no end")


class TestAttaching:
    async def test_attach_change_the_role_and_detach(self, account: Account) -> None:
        globex = await account.customer("Globex")
        ada = await account.contact(lastName="Lovelace")
        assert written(await account.side.attach(globex, ada, None)) == ada
        assert await account.attached(ada) == {globex: None}
        written(await account.side.attach(globex, ada, "-10"))
        assert await account.attached(ada) == {globex: "-10"}
        written(await account.side.detach(globex, ada))
        assert await account.attached(ada) == {}

    async def test_repeating_either_is_harmless(self, account: Account) -> None:
        acme, ada = await account.customer("Acme"), await account.contact(lastName="Lovelace")
        for _ in range(2):
            written(await account.side.attach(acme, ada, "-10"))
        assert await account.attached(ada) == {acme: "-10"}
        for _ in range(2):
            written(await account.side.detach(acme, ada))
        assert await account.attached(ada) == {}

    async def test_a_new_primary_contact_demotes_the_old_one(self, account: Account) -> None:
        acme = await account.customer("Acme")
        ada, bob = await account.contact(lastName="Lovelace"), await account.contact(lastName="Builder")
        written(await account.side.attach(acme, ada, "-10"))
        written(await account.side.attach(acme, bob, "-10"))
        assert (await account.attached(ada), await account.attached(bob)) == ({acme: None}, {acme: "-10"})

    async def test_to_a_customer_that_is_gone(self, account: Account) -> None:
        ada = await account.contact(lastName="Lovelace")
        assert refused(await account.side.attach("999999999", ada, None)).code == "NOT_FOUND"
        written(await account.side.detach("999999999", ada))


class TestDescribing:
    async def test_contacts(self, account: Account) -> None:
        schema = await account.side.describe(Entity.CONTACT)
        assert (schema["firstName"].type, schema["firstName"].length) == ("string", 32)
        assert schema["phone"].length == 32
        assert (schema["company"].type, schema["isInactive"].type) == ("reference", "boolean")
        assert (schema[ID_FIELD].type, schema[LOCKED_FIELD].type) == ("string", "boolean")
        assert schema["address.street"].length == 452
        assert not schema["id"].writable
        assert not schema["lastModifiedDate"].writable

    async def test_customers(self, account: Account) -> None:
        schema = await account.side.describe(Entity.ACCOUNT)
        assert schema["companyName"].length == 83
        assert schema["parent"].type == "reference"
