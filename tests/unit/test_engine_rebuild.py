"""Finding the links again by the ids in both systems, and taking over those of another product."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.memory.world import World, world

from twinbook.domain.pairing import Finding, Verdict
from twinbook.domain.ports import FieldMeta
from twinbook.domain.records import Entity
from twinbook.engine.care.adoption import Adoption
from twinbook.engine.care.rebuild import Rebuild, restorable
from twinbook.engine.connection import Connection
from twinbook.store import links
from twinbook.store.database import Database, Store

CELIGO_SALESFORCE, CELIGO_NETSUITE = "celigo_sfnsio__NetSuite_Id__c", "custentity_celigo_sfio_sf_id"


async def _synced(w: World, number: int = 5) -> list[str]:
    account, _ = w.linked_account()
    ids = [
        w.salesforce.user_creates_contact(
            FirstName="Ada", LastName=f"No {i}", Email=f"no{i}@acme.example", AccountId=account
        )
        for i in range(number)
    ]
    await w.settle()
    return ids


def _forget(w: World) -> None:
    """The store is lost."""
    w.connection = replace(w.connection, store=Store(Database.open_memory(), "default"))


async def _rebuilt(w: World, *, write: bool = False) -> list[Finding]:
    rebuild, found = Rebuild(w.connection), []
    async for batch in rebuild.batches():
        found += batch
        if write:
            await rebuild.restore(batch, by="grace", why="the store was lost")
    return found


async def _links(w: World) -> dict[str, object]:
    accounts = [account.id for account in w.salesforce._live(Entity.ACCOUNT)]
    contacts = [contact.id for contact in w.salesforce.contacts]

    def read(tx: object) -> dict[str, object]:
        found = links.by_salesforce(tx, Entity.CONTACT, contacts)  # type: ignore[arg-type]
        gates = links.by_salesforce(tx, Entity.ACCOUNT, accounts)  # type: ignore[arg-type]
        return {
            id_: (link.netsuite_id, link.state, link.correlation_id) for id_, link in (found | gates).items()
        }

    return await w.store.run(read)


async def test_losing_the_store_and_rebuilding_gives_the_same_links_and_nothing_is_written_then() -> None:
    async with world() as w:
        w.salesforce.page_size = w.netsuite.page_size = 2
        ids = await _synced(w)
        await w.mark(*(k for k in (await w.salesforce.list_keys(Entity.ACCOUNT, None)).keys))
        await w.settle()
        before, agreed = await _links(w), [(await w.link(id_)).agreed for id_ in ids]  # type: ignore[union-attr]
        _forget(w)
        writes = w.salesforce.writes + w.netsuite.writes
        found = await _rebuilt(w, write=True)
        assert await _links(w) == before
        assert [(await w.link(id_)).agreed for id_ in ids] == agreed  # type: ignore[union-attr]
        assert {item.verdict for item in found if item.entity is Entity.CONTACT} == {Verdict.CONSISTENT}
        assert [entry.who for entry in await w.history(ids[0])] == ["grace"]
        for id_ in ids:
            await w.mark(
                *(k for k in (await w.salesforce.list_keys(Entity.CONTACT, None)).keys if k.id == id_)
            )
        await w.settle()
        assert w.salesforce.writes + w.netsuite.writes == writes
        assert all(item.known for item in await _rebuilt(w) if restorable(item))


async def test_it_is_dry_unless_asked() -> None:
    async with world() as w:
        await _synced(w)
        _forget(w)
        assert len(await _rebuilt(w)) == 6
        assert await _links(w) == {}


async def test_what_both_sides_show_differently_is_not_agreed() -> None:
    """A NetSuite edit of a blank Salesforce field survives: agreeing on either value would erase one of them."""
    async with world() as w:
        [id_] = await _synced(w, 1)
        [there] = w.netsuite.contacts
        w.netsuite.user_edits(there.id, {"title": "Countess"})
        _forget(w)
        await _rebuilt(w, write=True)
        link = await w.link(id_)
        assert link is not None
        assert "Title/title" not in link.agreed
        assert link.agreed["LastName/lastName"] == "No 0"
        w.salesforce.user_edits(id_, {"FirstName": "Augusta"})
        await w.settle()
        kept = w.netsuite.contact(there.id).fields
        assert (kept["firstName"], kept["title"]) == ("Augusta", "Countess")


async def test_one_sided_and_contradictory_ids_are_reported_and_never_guessed() -> None:
    async with world() as w:
        one, two, three, four = await _synced(w, 4)
        n1, n2, n3, n4 = [(await w.link(id_)).netsuite_id for id_ in (one, two, three, four)]  # type: ignore[union-attr]
        w.salesforce.user_edits(one, {"NetSuite_Id__c": None})
        copy = w.netsuite.user_creates_contact(lastName="Copy", subsidiary="1", custentity_twinbook_sf_id=two)
        w.netsuite.user_deletes(str(n3))
        w.netsuite.user_edits(str(n4), {"custentity_twinbook_sf_id": one})
        gone = w.netsuite.user_creates_contact(
            lastName="Gone", subsidiary="1", custentity_twinbook_sf_id="0035g00000QwErTAAV"
        )
        _forget(w)
        found = [item for item in await _rebuilt(w, write=True) if item.entity is Entity.CONTACT]
        said = {(item.salesforce_id, item.netsuite_id): item for item in found}
        assert len(said) == len(found), "a pair was reported twice"
        verdicts = {ids: item.verdict for ids, item in said.items()}
        assert verdicts.pop((two, n2)) is Verdict.CONSISTENT
        assert verdicts.pop((two, copy)) is Verdict.CONTRADICTORY
        assert verdicts.pop((three, n3)) is Verdict.ONE_SIDED
        assert verdicts.pop(("0035g00000QwErTAAV", gone)) is Verdict.ONE_SIDED
        # n4 bears the id of `four` (external id) and of `one` (field): nothing can be said of `one` and `four`.
        assert verdicts.pop((four, n4)) is Verdict.CONTRADICTORY
        assert verdicts.pop((one, n1)) is Verdict.CONTRADICTORY
        assert verdicts == {}
        assert all(item.why for item in found if item.verdict is not Verdict.CONSISTENT)
        assert {id_ for id_ in (one, two, three, four) if await w.link(id_)} == {two}


async def test_a_link_that_the_table_knows_otherwise_does_not_move() -> None:
    async with world() as w:
        one, two = await _synced(w, 2)
        n1, n2 = [(await w.link(id_)).netsuite_id for id_ in (one, two)]  # type: ignore[union-attr]
        w.netsuite.user_edits(str(n1), {"externalId": None, "custentity_twinbook_sf_id": None})
        w.netsuite.user_edits(str(n2), {"externalId": None, "custentity_twinbook_sf_id": one})
        w.salesforce.user_edits(two, {"NetSuite_Id__c": None})
        w.salesforce.user_edits(one, {"NetSuite_Id__c": n2})
        found = [item for item in await _rebuilt(w, write=True) if item.entity is Entity.CONTACT]
        assert [(item.verdict, item.salesforce_id, item.netsuite_id) for item in found] == [
            (Verdict.CONTRADICTORY, one, n2)
        ]
        assert "link table" in found[0].why
        assert (await w.link(one)).netsuite_id == n1  # type: ignore[union-attr]


def _celigo(w: World) -> Connection:
    """The same systems, seen through the id fields of another product."""
    ours = {"custentity_twinbook_sf_id": FieldMeta("custentity_twinbook_sf_id", "string", 300)}
    theirs = {CELIGO_NETSUITE: FieldMeta(CELIGO_NETSUITE, "string", 300)}
    w.netsuite.custom_fields = theirs
    w.salesforce.custom_fields = {CELIGO_SALESFORCE: FieldMeta(CELIGO_SALESFORCE, "string", 40)}
    contacts = replace(
        w.connection.contacts, salesforce_id_field=CELIGO_SALESFORCE, netsuite_id_field=CELIGO_NETSUITE
    )
    return replace(
        w.connection,
        contacts=contacts,
        salesforce=replace(
            w.salesforce,
            config=replace(w.salesforce.config, id_field=CELIGO_SALESFORCE),
            custom_fields={"NetSuite_Id__c": FieldMeta("NetSuite_Id__c", "string", 40)},
        ),
        netsuite=replace(w.netsuite, id_field=CELIGO_NETSUITE, custom_fields=ours),
    )


async def _celigo_pair(w: World, source: Connection) -> tuple[str, str, str, str]:
    customer = source.netsuite.user_creates_customer("Acme", subsidiary="1")  # type: ignore[attr-defined]
    account = source.salesforce.user_creates_account("Acme", **{CELIGO_SALESFORCE: customer})  # type: ignore[attr-defined]
    w.netsuite.custom_fields = {CELIGO_NETSUITE: FieldMeta(CELIGO_NETSUITE, "string", 300)}
    w.netsuite.user_edits(customer, {CELIGO_NETSUITE: account})
    there = source.netsuite.user_creates_contact(  # type: ignore[attr-defined]
        firstName="Ada", lastName="Byron", email="other@acme.example", company=customer, subsidiary="1"
    )
    contact = w.salesforce.user_creates_contact(
        FirstName="Ada",
        LastName="Byron",
        Email="ada@acme.example",
        AccountId=account,
        **{CELIGO_SALESFORCE: there},
    )
    w.netsuite.user_edits(there, {CELIGO_NETSUITE: contact[:15]})
    return account, customer, contact, there


async def _adopt(adoption: Adoption) -> tuple[list[Finding], list[str]]:
    found, refused = [], []
    async for batch in adoption.batches():
        found += batch
        refused += [why for _, why in (await adoption.take_over(batch, by="grace")).refused]
    return found, refused


async def test_links_of_another_product_are_taken_over_and_their_ids_copied() -> None:
    async with world() as w:
        source = _celigo(w)
        account, customer, contact, there = await _celigo_pair(w, source)
        adoption = Adoption(w.connection, source, "celigo-io")
        dry = [item async for batch in adoption.batches() for item in batch]
        assert {(item.entity, item.verdict) for item in dry} == {
            (Entity.ACCOUNT, Verdict.CONSISTENT),
            (Entity.CONTACT, Verdict.CONSISTENT),
        }
        assert w.netsuite.writes + w.salesforce.writes == 0, "a dry look wrote something"
        assert await _adopt(adoption) == (dry, [])
        assert w.salesforce.contact(contact).netsuite_id == there
        assert w.salesforce.account(account).netsuite_id == customer
        assert w.netsuite.contact(there).salesforce_id == contact
        assert w.netsuite.contact(there).fields[CELIGO_NETSUITE] == contact[:15], "theirs is left as it was"
        assert (await w.link(contact)).netsuite_id == there  # type: ignore[union-attr]
        writes = w.netsuite.writes + w.salesforce.writes
        again, _ = await _adopt(adoption)
        assert all(item.known for item in again)
        assert w.netsuite.writes + w.salesforce.writes == writes
        assert len(w.netsuite.contacts) == 1
        await w.mark(*(await w.salesforce.list_keys(Entity.CONTACT, None)).keys)
        await w.settle()
        assert (await w.outcome(contact)).counterpart_id == there
        assert len(w.netsuite.contacts) == 1


async def test_an_id_in_twinbook_s_own_field_is_never_written_over() -> None:
    async with world() as w:
        source = _celigo(w)
        _, _, contact, there = await _celigo_pair(w, source)
        w.salesforce.user_edits(contact, {"NetSuite_Id__c": "987"})
        found, _ = await _adopt(Adoption(w.connection, source, "celigo-io"))
        [pair] = [item for item in found if item.entity is Entity.CONTACT]
        assert (pair.verdict, "987" in pair.why) == (Verdict.CONTRADICTORY, True)
        assert await w.link(contact) is None
        assert w.netsuite.contact(there).salesforce_id is None


async def test_a_pair_whose_id_is_refused_is_told_and_becomes_no_link() -> None:
    from twinbook.domain.errors import PermanentError

    async with world() as w:
        source = _celigo(w)
        _, _, contact, there = await _celigo_pair(w, source)
        w.netsuite.refuse(there, PermanentError("RCRD_LOCKED", "The record is locked."))
        _, refused = await _adopt(Adoption(w.connection, source, "celigo-io"))
        assert len(refused) == 1
        assert await w.link(contact) is None
        w.netsuite.refuse(there, None)
        _, refused = await _adopt(Adoption(w.connection, source, "celigo-io"))
        assert refused == []
        assert await w.link(contact) is not None


@pytest.mark.parametrize("field", ["celigo-io", "celigo-v1"])
def test_the_presets_name_both_fields(field: str) -> None:
    from twinbook.settings.presets import ID_FIELDS, Preset

    fields = ID_FIELDS[Preset(field)]
    assert fields.salesforce.endswith("NetSuite_Id__c")
    assert fields.netsuite.startswith("custentity_celigo")
