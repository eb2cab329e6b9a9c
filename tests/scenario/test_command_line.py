"""The command line as its users meet it: a fresh folder, one command after the other."""

from __future__ import annotations

from pathlib import Path

from tests.scenario.product import Product, until


async def test_from_nothing_to_a_synced_contact(p: Product, tmp_path: Path) -> None:
    for made in tmp_path.iterdir():
        made.unlink()
    url = p.sandbox.describe()["netsuite"]["base_url"]
    assert (await p.command("init", "--sandbox", url)).code == 0
    account, _ = await p.linked_account()
    contact = await p.contact(
        FirstName="Ada", LastName="Lovelace", Email="ada@acme.example", AccountId=account
    )

    found = (await p.command("doctor", "--json")).json()
    assert [check for check in found if check["verdict"] == "broken"] == []
    assert {"in real time"} <= {check["detail"] for check in found}

    plan = (await p.command("plan", "--json")).json()
    assert {(item["outcome"], item["number"]) for item in plan["counts"]} == {("created", 1)}
    assert await p.in_netsuite(contact) is None, "a dry run wrote something"

    filled = await p.command("backfill", "--json")
    assert [(item["outcome"], item["number"]) for item in filled.json()] == [("created", 1)]
    there = await p.in_netsuite(contact)
    assert there is not None

    status = (await p.command("status", "--json")).json()
    assert (status["linked_contacts"], status["linked_accounts"]) == (1, 1)
    for name in (contact, contact[:15], there["id"], "ADA@acme.example"):
        [explained] = (await p.command("explain", name, "--json")).json()
        assert explained["salesforce_id"] == contact
        assert explained["plan"]["outcome"] == "unchanged"
    assert [entry["what"] for entry in explained["remembered"]["history"]] == ["created"]


async def test_run_stops_cleanly_and_other_commands_work_beside_it(p: Product) -> None:
    account, _ = await p.linked_account()
    process = await p.start("run")
    assert process.stderr is not None
    await process.stderr.readuntil(b"in step")
    contact = await p.contact(LastName="Lovelace", Email="ada@acme.example", AccountId=account)

    async def arrived() -> bool:
        return await p.in_netsuite(contact) is not None

    await until(arrived)
    assert (await p.command("run")).code == 4, "a second owner of the store"
    assert (await p.command("pause")).code == 0
    waiting = await p.contact(LastName="Waits", Email="waits@acme.example", AccountId=account)

    async def paused() -> bool:
        counts = (await p.command("status", "--json")).json()["contacts"]
        return any(item["reason"] == "PAUSED" for item in counts)

    await until(paused)
    assert await p.in_netsuite(waiting) is None
    assert (await p.command("resume")).code == 0

    async def released() -> bool:
        return await p.in_netsuite(waiting) is not None

    await until(released)
    assert (await p.command("push", contact)).code == 0
    process.terminate()
    await process.communicate()
    assert process.returncode == 0


async def test_mistakes_end_in_one_message_and_the_documented_code(p: Product) -> None:
    bad = await p.command("push", "nonsense")
    assert (bad.code, "Traceback" in bad.err) == (2, False)
    assert "nonsense" in bad.err
    unknown = await p.command("explain", "0035g00000QwErTAAV")
    assert unknown.code in (0, 1)
    p.configure("salesforce", poll_secnds=3)
    typo = await p.command("status")
    assert (typo.code, "Traceback" in typo.err) == (2, False)
    assert "poll_secnds" in typo.err.casefold()
    assert "poll_seconds" in typo.err


async def test_a_system_that_is_gone_is_said_plainly(p: Product) -> None:
    p.configure("salesforce", login_url="http://127.0.0.1:9")
    gone = await p.command("plan")
    assert (gone.code, "Traceback" in gone.err) == (3, False)


async def test_errors_are_listed_with_their_remedy_and_retried(p: Product) -> None:
    account, _ = await p.linked_account()
    await p.netsuite.set_switches(mandatory_fields=["title"])
    contact = await p.contact(LastName="Lovelace", Email="ada@acme.example", AccountId=account)
    assert (await p.command("backfill", "--json")).code == 1
    listed = await p.command("errors", "list", "--json")
    [error] = listed.json()
    assert listed.code == 1
    assert (error["key"]["id"], error["code"]) == (contact, "REQUIRED_FIELD_MISSING")
    assert error["remedy"]
    shown = await p.command("errors", "show", str(error["id"]))
    assert "what to do" in shown.out
    await p.netsuite.set_switches(mandatory_fields=[])
    assert (await p.command("errors", "retry", str(error["id"]))).code == 0
    async with p.running() as connection:

        async def arrived() -> bool:
            return await p.in_netsuite(contact) is not None

        await until(arrived)
        await until(lambda: _closed(connection))
    assert (await p.command("errors", "list")).code == 0


async def _closed(connection: object) -> bool:
    from twinbook.store import incidents

    return not await connection.store.run(incidents.open_ones)  # type: ignore[attr-defined]
