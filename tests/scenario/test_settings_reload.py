"""Settings that are saved in the dashboard take effect in processes that run; and a first start leads to the set-up."""

from __future__ import annotations

import time
from pathlib import Path

from tests.postgres import Server
from tests.scenario.deployment import deploy
from tests.scenario.product import Product, until
from tests.scenario.running import Running, arrived, run
from tests.scenario.test_install import upload_to_netsuite, upload_to_salesforce
from tests.scenario.workers import cluster

from twinbook.domain.records import Entity, Key, Side
from twinbook.store import dirty_keys, outcomes
from twinbook.store.database import Store


async def test_a_saved_version_takes_effect_without_a_restart_and_loses_nothing(p: Product) -> None:
    account, _ = await p.linked_account()
    async with run(p) as running:
        store = Store(running.database, "default")
        assert await running.versions() == [None]
        # The lanes are busy while they are told to end.
        some = [
            await p.contact(LastName=f"Some {n}", Email=f"{n}@acme.example", AccountId=account)
            for n in range(25)
        ]
        version = await running.save(create=False)
        await running.works_with(version)
        refused = await p.contact(LastName="Later", Email="later@acme.example", AccountId=account)

        await until(lambda: _looked_at(store, [refused, *some]), timeout=30)
        assert await p.in_netsuite(refused) is None
        again = (await running.post(f"settings/versions/{version - 1}/restore"))["version"]
        await running.works_with(again)
        late = await p.contact(LastName="Last", Email="last@acme.example", AccountId=account)
        await arrived(p, [late])
        status = (await p.command("status", "--json")).json()
        assert [item["version"] for item in status["processes"]] == [again]
    assert (await p.command("status", "--json")).json()["processes"] == []


async def _looked_at(store: Store, contacts: list[str]) -> bool:
    """Whether each has an outcome, by whichever settings, and nobody holds any."""
    keys = [Key(Entity.CONTACT, Side.SALESFORCE, contact) for contact in contacts]
    found = await store.read(lambda tx: [outcomes.find(tx, key) for key in keys])
    depth = await store.read(lambda tx: dirty_keys.depth(tx, now=time.time()))
    return None not in found and depth.due + depth.claimed == 0


async def test_all_workers_take_up_a_version(p: Product, postgresql: Server) -> None:
    account, _ = await p.linked_account()
    async with cluster(p, postgresql), run(p, "--workers", "2", said="worker-started") as running:
        await until(lambda: _two(running), timeout=60)
        version = await running.save(create=False)
        await running.works_with(version, processes=2)
        again = (await running.post(f"settings/versions/{version - 1}/restore"))["version"]
        await running.works_with(again, processes=2)
        await arrived(p, [await p.contact(LastName="Last", Email="last@acme.example", AccountId=account)])


async def _two(running: Running) -> bool:
    return len(await running.versions()) == 2


async def test_a_first_start_leads_to_the_set_up_and_from_there_to_contacts_in_step(
    p: Product, tmp_path: Path
) -> None:
    for made in tmp_path.iterdir():
        made.unlink()
    described = p.sandbox.describe()
    p.configure("salesforce", pubsub_endpoint=described["pubsub"]["endpoint"], pubsub_tls=False)
    p.configure("netsuite", base_url=described["netsuite"]["base_url"])
    login, account = described["salesforce"]["credentials"], described["netsuite"]["credentials"]
    async with run(p, said="Nothing is synced yet") as running:
        assert (await running.api.get("/")).headers["location"] == "/install"
        assert "not set up" in (await running.api.get("/overview")).text
        await deploy(p.salesforce, "Twinbook_Integration")
        for system in ("salesforce", "netsuite"):
            await running.post(f"install/{system}/key")
        certificate = tmp_path / "salesforce.crt"
        certificate.write_bytes((await running.api.get("/install/salesforce/certificate")).content)
        await upload_to_salesforce(p, certificate)
        id_ = await upload_to_netsuite(p, tmp_path / "netsuite.crt")
        org = {
            "login_url": login["login_url"],
            "username": login["username"],
            "client_id": login["consumer_key"],
        }
        await running.post("install/salesforce", values=org)
        assert (await running.api.post("/api/v1/install/start")).status_code == 409, "NetSuite is missing"
        ids = {"account_id": account["account_id"], "client_id": account["client_id"], "certificate_id": id_}
        await running.post("install/netsuite", values=ids)
        for system in ("salesforce", "netsuite"):
            await running.post(f"install/{system}/check")
            await until(lambda system=system: _checked(running, system), timeout=60)
            assert (await running.get(f"install/{system}"))["next"] is None
        await running.post("install/start")
        await until(lambda: _one(running), timeout=30)
        linked, _ = await p.linked_account()
        await arrived(p, [await p.contact(LastName="First", Email="first@acme.example", AccountId=linked)])


async def _checked(running: Running, system: str) -> bool:
    return bool((await running.get(f"install/{system}"))["examination"]["stage"] == "done")


async def _one(running: Running) -> bool:
    return len(await running.versions()) == 1
