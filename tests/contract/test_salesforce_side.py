"""What the engine may expect of a Salesforce org: in memory, the sandbox over HTTP, or a real one."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
from tests.contract import real_systems
from tests.contract.salesforce_orgs import CONFIG, PAGE, Org, OrgInMemory, OrgInSandbox
from tests.memory.salesforce import MemorySalesforce

from twinbook.domain.errors import PermanentError
from twinbook.domain.ports import Failed, Stamp, WriteResult, Written
from twinbook.domain.records import Entity, Key, Side
from twinbook.domain.versions import moment_of
from twinbook.salesforce.errors import duplicate_holder
from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.salesforce.org import SalesforceOrg

ID_FIELD = CONFIG.id_field
UNKNOWN = "0035g00000ZZZZZAA0"
CARRIED, NEXT = (str(uuid.uuid4().int)[:20] for _ in range(2))
"""NetSuite ids that no record of a real org carries."""
ROLES = (Entity.ACCOUNT_CONTACT_ROLE, Entity.ACCOUNT_CONTACT_RELATION, Entity.OPPORTUNITY_CONTACT_ROLE)


@pytest.fixture(scope="module")
def sandbox_clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def sandbox_org(sandbox_clock: Clock) -> Iterator[SalesforceOrg]:
    """Made once, since making its key takes a while; emptied for each test."""
    org = SalesforceOrg(sandbox_clock)
    yield org
    org.close()


@pytest.fixture(params=real_systems.systems)
async def org(request: pytest.FixtureRequest) -> AsyncIterator[Org]:
    if request.param == "real":
        real_systems.skip_on_real(request)
        async with real_systems.real_org() as real:
            yield real
        return
    if request.param == "memory":
        yield OrgInMemory(MemorySalesforce(CONFIG, page_size=PAGE))
        return
    emulated = request.getfixturevalue("sandbox_org")
    async with OrgInSandbox.serve(emulated, request.getfixturevalue("sandbox_clock")) as served:
        yield served


def keys(entity: Entity, *ids: str) -> tuple[Key, ...]:
    return tuple(Key(entity, Side.SALESFORCE, id_) for id_ in ids)


def refusal(result: WriteResult) -> PermanentError:
    assert isinstance(result, Failed)
    assert isinstance(result.error, PermanentError)
    return result.error


class TestReadingContacts:
    async def test_a_contact_comes_with_its_account(self, org: Org) -> None:
        account = await org.account("Acme", Type="Customer", **{ID_FIELD: "800"})
        contact = await org.contact(
            LastName="Okafor",
            FirstName="Ngozi",
            Email="n.okafor@example.com",
            AccountId=account,
            Phone="+44 1",
        )
        read = (await org.side.read_contacts([contact]))[contact]
        assert (read.id, read.account_id, read.account_name) == (contact, account, "Acme")
        assert (read.account_customer_id, read.netsuite_id) == ("800", None)
        assert dict(read.fields) == {
            "Email": "n.okafor@example.com",
            "FirstName": "Ngozi",
            "LastName": "Okafor",
            "Phone": "+44 1",
            "Description": None,
            "AccountId": account,
            "Account.Type": "Customer",
        }
        assert not (read.deleted or read.is_person_account or read.push_requested or read.roles)

    async def test_a_contact_without_account(self, org: Org) -> None:
        contact = await org.contact(LastName="Okafor")
        read = (await org.side.read_contacts([contact]))[contact]
        assert (read.account_id, read.account_name, read.account_customer_id) == (None, None, None)
        assert read.fields["Account.Type"] is None

    async def test_what_does_not_exist_is_absent(self, org: Org) -> None:
        contact = await org.contact(LastName="Okafor")
        read = await org.side.read_contacts([UNKNOWN, "no id", "' OR Id != '", contact])
        assert list(read) == [contact]
        assert await org.side.read_contacts([]) == {}

    async def test_roles_of_all_three_kinds(self, org: Org) -> None:
        home, other = await org.account("Acme"), await org.account("Bolt")
        opportunity = await org.opportunity(home, won=False)
        contact = await org.contact(LastName="Okafor", AccountId=home)
        await org.role(Entity.ACCOUNT_CONTACT_ROLE, contact, "Evaluator", AccountId=home)
        await org.role(Entity.ACCOUNT_CONTACT_RELATION, contact, "Decision Maker;Influencer", AccountId=other)
        gone = await org.role(
            Entity.OPPORTUNITY_CONTACT_ROLE, contact, "Economic Buyer", OpportunityId=opportunity
        )
        read = (await org.side.read_contacts([contact]))[contact]
        assert read.roles == {"Evaluator", "Decision Maker", "Influencer", "Economic Buyer"}
        await org.delete(Entity.OPPORTUNITY_CONTACT_ROLE, gone)
        read = (await org.side.read_contacts([contact]))[contact]
        assert read.roles == {"Evaluator", "Decision Maker", "Influencer"}

    async def test_the_fields_of_the_package(self, org: Org) -> None:
        contact = await org.contact(LastName="Okafor", **{ID_FIELD: CARRIED, CONFIG.push_field: True})
        await org.edit(
            Entity.CONTACT, contact, **{CONFIG.status_field: "Error", CONFIG.message_field: "No email"}
        )
        read = (await org.side.read_contacts([contact]))[contact]
        assert (read.netsuite_id, read.push_requested) == (CARRIED, True)
        assert (read.status, read.status_message) == ("Error", "No email")

    async def test_a_person_account(self, org: Org) -> None:
        contact = await org.person_account("Okafor")
        assert (await org.side.read_contacts([contact]))[contact].is_person_account

    async def test_the_recycle_bin_and_back(self, org: Org) -> None:
        contact = await org.contact(LastName="Okafor")
        await org.delete(Entity.CONTACT, contact)
        read = (await org.side.read_contacts([contact]))[contact]
        assert (read.deleted, read.merged_into) == (True, None)
        await org.undelete(Entity.CONTACT, contact)
        assert not (await org.side.read_contacts([contact]))[contact].deleted
        await org.delete(Entity.CONTACT, contact)
        await org.purge(Entity.CONTACT, contact)
        assert await org.side.read_contacts([contact]) == {}

    async def test_a_merged_contact_names_its_winner(self, org: Org) -> None:
        account = await org.account("Acme")
        winner = await org.contact(LastName="Okafor", AccountId=account)
        loser = await org.contact(LastName="Okafor", AccountId=account)
        await org.merge(Entity.CONTACT, winner, loser)
        read = await org.side.read_contacts([winner, loser])
        assert (read[loser].deleted, read[loser].merged_into) == (True, winner)
        assert not read[winner].deleted

    async def test_a_winner_knows_what_was_merged_straight_into_it(self, org: Org) -> None:
        account = await org.account("Acme")
        first, second, third, other = [
            await org.contact(LastName=f"N{n}", AccountId=account) for n in range(4)
        ]
        await org.merge(Entity.CONTACT, second, first)
        await org.merge(Entity.CONTACT, third, second)
        losers = await org.side.losers_of(Entity.CONTACT, [first, second, third, other])
        assert losers == {second: (first,), third: (second,)}
        read = await org.side.read_with_losers([second, third, other])
        assert {id_: contact.losers for id_, contact in read.items()} == {
            second: (first,),
            third: (second,),
            other: (),
        }
        assert (read[second].merged_into, read[third].fields["LastName"]) == (third, "N2")
        await org.purge(Entity.CONTACT, first)
        assert await org.side.losers_of(Entity.CONTACT, [second]) == {}
        assert await org.side.losers_of(Entity.CONTACT, []) == {}

    async def test_more_than_200_are_a_mistake_of_the_caller(self, org: Org) -> None:
        ids = [f"0035g0000000{n:03d}" for n in range(201)]
        with pytest.raises(ValueError, match="200"):
            await org.side.read_contacts(ids)


class TestReadingAccounts:
    async def test_what_the_gate_looks_at(self, org: Org) -> None:
        parent = await org.account("Parent")
        account = await org.account(
            "Acme", Type="Prospect", ParentId=parent, **{ID_FIELD: "800", CONFIG.push_field: True}
        )
        read = await org.side.read_accounts([account, parent, UNKNOWN])
        assert set(read) == {account, parent}
        acme = read[account]
        assert (acme.name, acme.netsuite_id, acme.parent_id) == ("Acme", "800", parent)
        assert dict(acme.fields) == {"Name": "Acme", "Type": "Prospect"}
        assert acme.push_requested
        assert not (acme.has_won_opportunity or acme.deleted or acme.is_person_account)
        assert (read[parent].netsuite_id, read[parent].parent_id) == (None, None)

    async def test_a_won_opportunity_counts_until_it_is_deleted(self, org: Org) -> None:
        account = await org.account("Acme")
        await org.opportunity(account, won=False)
        assert not (await org.side.read_accounts([account]))[account].has_won_opportunity
        won = await org.opportunity(account, won=True)
        assert (await org.side.read_accounts([account]))[account].has_won_opportunity
        await org.delete(Entity.OPPORTUNITY, won)
        assert not (await org.side.read_accounts([account]))[account].has_won_opportunity

    async def test_merged_and_deleted_accounts(self, org: Org) -> None:
        winner, loser = await org.account("Acme"), await org.account("Acme Ltd")
        contact = await org.contact(LastName="Okafor", AccountId=loser)
        await org.merge(Entity.ACCOUNT, winner, loser)
        read = (await org.side.read_accounts([loser]))[loser]
        assert (read.deleted, read.merged_into) == (True, winner)
        assert (await org.side.read_contacts([contact]))[contact].account_id == winner
        await org.delete(Entity.ACCOUNT, winner)
        assert (await org.side.read_accounts([winner]))[winner].deleted
        assert (await org.side.read_contacts([contact]))[contact].deleted


class TestWriting:
    async def test_deleted_contacts_are_in_the_recycle_bin(self, org: Org) -> None:
        deleted, kept = await org.contact(LastName="Okafor"), await org.contact(LastName="Ito")
        assert await org.side.delete_contacts([deleted]) == {deleted: Written(deleted)}
        assert (await org.side.read_contacts([deleted]))[deleted].deleted
        assert not (await org.side.read_contacts([kept]))[kept].deleted
        assert refusal((await org.side.delete_contacts([deleted]))[deleted])
        await org.undelete(Entity.CONTACT, deleted)

    @pytest.mark.emulated("the person and the integration are one user there")
    async def test_changed_fields_only_and_none_clears(self, org: Org) -> None:
        contact = await org.contact(LastName="Okafor", FirstName="Ngozi", Phone="1", Email="n@example.com")
        before = (await org.side.read_contacts([contact]))[contact]
        await org.pass_time()
        results = await org.side.update_contacts({contact: {"Phone": None, ID_FIELD: CARRIED}})
        assert results == {contact: Written(contact)}
        after = (await org.side.read_contacts([contact]))[contact]
        assert after.fields == {**before.fields, "Phone": None}
        assert after.netsuite_id == CARRIED
        assert after.version != before.version
        assert before.saved_by
        assert after.saved_by not in (None, before.saved_by), "it tells who saved it last"

    async def test_each_record_has_a_result_of_its_own(self, org: Org) -> None:
        good, bad, gone = [await org.contact(LastName="Okafor") for _ in range(3)]
        await org.delete(Entity.CONTACT, gone)
        results = await org.side.update_contacts(
            {
                good: {"Phone": "1"},
                bad: {"Email": "not an address"},
                gone: {"Phone": "1"},
                UNKNOWN: {"Phone": "1"},
            }
        )
        assert results[good] == Written(good)
        assert (refusal(results[bad]).code, refusal(results[bad]).field) == ("INVALID_EMAIL_ADDRESS", "Email")
        assert refusal(results[gone]).code == "ENTITY_IS_DELETED"
        assert refusal(results[UNKNOWN]).code == "INVALID_CROSS_REFERENCE_KEY"
        assert all(refusal(result).remedy for id_, result in results.items() if id_ != good)

    @pytest.mark.parametrize(
        ("fields", "code", "field"),
        [
            ({"FirstName": "x" * 41}, "STRING_TOO_LONG", "FirstName"),
            ({"LastName": None}, "REQUIRED_FIELD_MISSING", "LastName"),
        ],
    )
    async def test_refused_values_name_their_field(
        self, org: Org, fields: dict[str, str | None], code: str, field: str
    ) -> None:
        contact = await org.contact(LastName="Okafor")
        error = refusal((await org.side.update_contacts({contact: fields}))[contact])
        assert (error.code, error.field) == (code, field)
        assert (await org.side.read_contacts([contact]))[contact].fields["LastName"] == "Okafor"

    async def test_a_netsuite_id_belongs_to_one_contact(self, org: Org) -> None:
        holder = await org.contact(LastName="Okafor", **{ID_FIELD: CARRIED})
        other = await org.contact(LastName="Lind")
        error = refusal((await org.side.update_contacts({other: {ID_FIELD: CARRIED}}))[other])
        assert (error.code, error.field) == ("DUPLICATE_VALUE", ID_FIELD)
        assert holder.startswith(duplicate_holder(error) or "none")

    async def test_texts_are_kept_trimmed(self, org: Org) -> None:
        contact = await org.contact(LastName="Okafor", Phone="1")
        await org.side.update_contacts({contact: {"FirstName": " Ngozi ", "Phone": "  "}})
        fields = (await org.side.read_contacts([contact]))[contact].fields
        assert (fields["FirstName"], fields["Phone"]) == ("Ngozi", None)

    async def test_accounts(self, org: Org) -> None:
        account = await org.account("Acme", **{CONFIG.push_field: True})
        results = await org.side.update_accounts({account: {ID_FIELD: "800", CONFIG.push_field: False}})
        assert results == {account: Written(account)}
        read = (await org.side.read_accounts([account]))[account]
        assert (read.netsuite_id, read.push_requested) == ("800", False)

    @pytest.mark.emulated("it counts on an empty org")
    async def test_an_upsert_creates_once(self, org: Org) -> None:
        account = await org.account("Acme")
        created = await org.side.upsert_contacts({CARRIED: {"LastName": "Okafor", "AccountId": account}})
        again = await org.side.upsert_contacts(
            {CARRIED: {"LastName": "Okafor-Lind"}, NEXT: {"FirstName": "x"}}
        )
        assert isinstance(created[CARRIED], Written)
        assert again[CARRIED] == created[CARRIED]
        assert refusal(again[NEXT]).code == "REQUIRED_FIELD_MISSING"
        assert await org.side.count(Entity.CONTACT) == 1
        read = (await org.side.read_contacts([created[CARRIED].id]))[created[CARRIED].id]
        assert (read.fields["LastName"], read.netsuite_id) == ("Okafor-Lind", CARRIED)

    async def test_nothing_is_nothing(self, org: Org) -> None:
        assert await org.side.update_contacts({}) == {}
        assert await org.side.upsert_contacts({}) == {}

    async def test_a_person_account_is_not_written(self, org: Org) -> None:
        contact = await org.person_account("Okafor")
        results = await org.side.update_contacts({contact: {"Phone": "1"}})
        assert isinstance(results[contact], Failed)


class TestFinding:
    async def test_contacts_by_email_at_any_account(self, org: Org) -> None:
        account, other = await org.account("Acme"), await org.account("Bolt")
        here = await org.contact(LastName="Okafor", Email="N.Okafor@Example.com", AccountId=account)
        there = await org.contact(LastName="Okafor", Email="n.okafor@example.com", AccountId=other)
        gone = await org.contact(LastName="Okafor", Email="n.okafor@example.com", AccountId=account)
        await org.delete(Entity.CONTACT, gone)
        found = await org.side.find_contacts(emails=[" n.okafor@example.com", "x@example.com"])
        assert {contact.id: contact.account_id for contact in found} == {here: account, there: other}
        assert await org.side.find_contacts() == []

    async def test_contacts_by_the_netsuite_id_they_carry(self, org: Org) -> None:
        carrier = await org.contact(LastName="Okafor", Email="n@example.com", NetSuite_Id__c="4711")
        await org.contact(LastName="Lind", NetSuite_Id__c="4712")
        found = await org.side.find_contacts(emails=["n@example.com"], netsuite_ids=["4711", "99"])
        assert [(contact.id, contact.netsuite_id) for contact in found] == [(carrier, "4711")]

    async def test_accounts_by_the_customer_they_carry(self, org: Org) -> None:
        carrier = await org.account("Acme", NetSuite_Id__c="660")
        await org.account("Bolt", NetSuite_Id__c="661")
        gone = await org.account("Gone", NetSuite_Id__c="662")
        await org.delete(Entity.ACCOUNT, gone)
        found = await org.side.find_accounts(["660", "662", "663"])
        assert [(account.id, account.name, account.netsuite_id) for account in found] == [
            (carrier, "Acme", "660")
        ]

    async def test_by_email_anywhere(self, org: Org) -> None:
        ids = [await org.contact(LastName="Okafor", Email="shared@example.com") for _ in range(2)]
        await org.contact(LastName="Lind", Email="lind@example.com")
        assert sorted(await org.side.search_contacts(["SHARED@example.com"])) == sorted(ids)

    @pytest.mark.parametrize("email", ["o'neil@example.com", "a+b@example.com", "100%_x@example.com"])
    async def test_emails_with_special_characters(self, org: Org, email: str) -> None:
        contact = await org.contact(LastName="Okafor", Email=email)
        await org.contact(LastName="Lind", Email="1000xx@example.com")
        assert await org.side.search_contacts([email]) == [contact]

    async def test_nothing_that_is_asked_for_becomes_part_of_the_question(self, org: Org) -> None:
        await org.contact(LastName="Okafor", Email="n@example.com")
        hostile = ["' OR Email != '", "\\' OR Email != '", "\\", "x\n') OR (Email != '", "\u0000"]
        assert await org.side.search_contacts(hostile) == []

    async def test_hundreds_of_emails_at_once(self, org: Org) -> None:
        contact = await org.contact(LastName="Okafor", Email="last@example.com")
        many = [f"{n:03d}.{'long-name.' * 5}@example.com" for n in range(400)]
        assert await org.side.search_contacts([*many, "last@example.com"]) == [contact]


class TestListing:
    @pytest.mark.emulated("it counts on an empty org")
    async def test_pages_in_the_order_of_ids(self, org: Org) -> None:
        ids = sorted([await org.contact(LastName=f"N{n}") for n in range(2 * PAGE + 1)])
        gone = ids.pop(1)
        await org.delete(Entity.CONTACT, gone)
        seen: list[str] = []
        after: str | None = None
        for _ in range(5):
            listing = await org.side.list_keys(Entity.CONTACT, after)
            assert len(listing.keys) <= PAGE
            seen += [key.id for key in listing.keys]
            after = listing.next
            if after is None:
                break
        assert seen == ids
        assert await org.side.count(Entity.CONTACT) == len(ids)

    async def test_stamps_say_what_a_read_says(self, org: Org) -> None:
        account = await org.account("Acme", **{ID_FIELD: "800"})
        ids = [
            await org.contact(LastName="Linked", AccountId=account, **{ID_FIELD: "900"}),
            await org.contact(LastName="Alone"),
        ]
        page = await org.side.list_stamps(None)
        read = await org.side.read_contacts(ids)
        assert page.next is None
        assert sorted(page.stamps) == sorted(
            Stamp(id_, moment_of(read[id_].version), read[id_].netsuite_id, read[id_].account_customer_id)
            for id_ in ids
        )

    async def test_contacts_of_some_accounts(self, org: Org) -> None:
        accounts = [await org.account(name) for name in ("Acme", "Bolt", "Cyan")]
        ids = [await org.contact(LastName=f"N{n}", AccountId=accounts[n % 3]) for n in range(3 * (PAGE + 1))]
        expected = sorted(id_ for n, id_ in enumerate(ids) if n % 3 != 2)
        seen: list[str] = []
        after: str | None = None
        for _ in range(5):
            listing = await org.side.contacts_of_accounts(accounts[:2], after)
            seen += [key.id for key in listing.keys]
            after = listing.next
            if after is None:
                break
        assert seen == expected

    @pytest.mark.emulated("it counts on an empty org")
    async def test_an_empty_org(self, org: Org) -> None:
        listing = await org.side.list_keys(Entity.ACCOUNT, None)
        assert (listing.keys, listing.next) == ((), None)
        assert await org.side.count(Entity.ACCOUNT) == 0


class TestLeading:
    async def test_to_accounts_and_contacts_even_after_a_delete(self, org: Org) -> None:
        account, other = await org.account("Acme"), await org.account("Bolt")
        opportunity = await org.opportunity(account, won=True)
        contact = await org.contact(LastName="Okafor", AccountId=account)
        parents = ({"AccountId": account}, {"AccountId": other}, {"OpportunityId": opportunity})
        roles = {
            entity: await org.role(entity, contact, "Evaluator", **parent)
            for entity, parent in zip(ROLES, parents, strict=True)
        }
        for entity, role in roles.items():
            await org.delete(entity, role)
        asked = [
            *keys(Entity.OPPORTUNITY, opportunity),
            *(keys(entity, id_)[0] for entity, id_ in roles.items()),
        ]
        led = await org.side.lead([*asked, *keys(Entity.OPPORTUNITY, "0065g00000ZZZZZAA0")])
        assert led[asked[0]] == keys(Entity.ACCOUNT, account)
        assert {key: led[key] for key in asked[1:]} == dict.fromkeys(asked[1:], keys(Entity.CONTACT, contact))
        assert len(led) == 4


class TestPolling:
    async def changed(self, org: Org, entity: Entity, cursor: str) -> tuple[list[str], str]:
        """Ids in the order of delivery, and the cursor after the last page."""
        found: list[str] = []
        for _ in range(20):
            changes = await org.side.changes_since(entity, cursor)
            found += [key.id for key in changes.keys]
            cursor = changes.cursor
            if not changes.more:
                return found, cursor
        raise AssertionError("polling did not end")

    @pytest.mark.emulated("others may change records meanwhile")
    async def test_it_starts_now(self, org: Org) -> None:
        await org.contact(LastName="Before")
        start = await org.side.changes_since(Entity.CONTACT, None)
        assert (start.keys, start.more) == ((), False)
        await org.pass_time()
        later = await org.contact(LastName="After")
        found, cursor = await self.changed(org, Entity.CONTACT, start.cursor)
        assert later in found
        assert await self.changed(org, Entity.CONTACT, cursor) == ([], cursor)

    @pytest.mark.emulated("it counts on an empty org")
    async def test_it_starts_in_an_empty_org(self, org: Org) -> None:
        start = await org.side.changes_since(Entity.CONTACT, None)
        contact = await org.contact(LastName="First")
        assert (await self.changed(org, Entity.CONTACT, start.cursor))[0] == [contact]

    @pytest.mark.emulated("no API merges or undeletes")
    async def test_edits_deletes_undeletes_and_merges(self, org: Org) -> None:
        account = await org.account("Acme")
        edited, deleted, winner, loser, quiet = [
            await org.contact(LastName=f"N{n}", AccountId=account) for n in range(5)
        ]
        _, cursor = await self.changed(
            org, Entity.CONTACT, (await org.side.changes_since(Entity.CONTACT, None)).cursor
        )
        await org.pass_time()
        await org.edit(Entity.CONTACT, edited, Phone="1")
        await org.delete(Entity.CONTACT, deleted)
        await org.merge(Entity.CONTACT, winner, loser)
        found, cursor = await self.changed(org, Entity.CONTACT, cursor)
        assert {edited, deleted, winner, loser} <= set(found)
        assert quiet not in found
        await org.pass_time()
        await org.undelete(Entity.CONTACT, deleted)
        assert (await self.changed(org, Entity.CONTACT, cursor))[0] == [deleted]

    @pytest.mark.emulated("others may change records meanwhile")
    async def test_more_changes_than_a_page_in_one_second(self, org: Org) -> None:
        _, cursor = await self.changed(
            org, Entity.CONTACT, (await org.side.changes_since(Entity.CONTACT, None)).cursor
        )
        ids = {await org.contact(LastName=f"N{n}") for n in range(4 * PAGE)}
        found, _ = await self.changed(org, Entity.CONTACT, cursor)
        assert set(found) == ids
        assert len(found) == len(ids)

    @pytest.mark.emulated("others may change records meanwhile")
    async def test_roles_and_accounts_are_polled_too(self, org: Org) -> None:
        account = await org.account("Acme")
        contact = await org.contact(LastName="Okafor", AccountId=account)
        starts = {
            entity: (await org.side.changes_since(entity, None)).cursor
            for entity in (Entity.ACCOUNT, Entity.OPPORTUNITY, Entity.ACCOUNT_CONTACT_ROLE)
        }
        await org.pass_time()
        await org.edit(Entity.ACCOUNT, account, Type="Customer")
        opportunity = await org.opportunity(account, won=True)
        role = await org.role(Entity.ACCOUNT_CONTACT_ROLE, contact, "Evaluator", AccountId=account)
        changed = {entity: (await self.changed(org, entity, cursor))[0] for entity, cursor in starts.items()}
        assert changed[Entity.ACCOUNT] == [account]
        assert changed[Entity.OPPORTUNITY] == [opportunity]
        assert changed[Entity.ACCOUNT_CONTACT_ROLE] == [role]


async def test_describe_says_what_a_field_takes(org: Org) -> None:
    schema = await org.side.describe(Entity.CONTACT)
    assert (schema["LastName"].length, schema["LastName"].required) == (80, True)
    assert (schema["FirstName"].length, schema["FirstName"].required) == (40, False)
    assert schema[ID_FIELD].writable
    assert "Name" in await org.side.describe(Entity.ACCOUNT)
