"""The Salesforce client in bad weather, against the sandbox over HTTP: logins, limits, faults, set-ups of the org."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.contract.salesforce_orgs import CONFIG, OrgInSandbox

from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.domain.ports import Failed, Written
from twinbook.domain.records import Entity
from twinbook.http import HttpSettings, HttpTransport
from twinbook.salesforce.auth import ClientCredentials, TokenProvider
from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.core.tls import self_signed
from twinbook_sandbox.core.traffic import Effect, Fault
from twinbook_sandbox.salesforce.org import SalesforceOrg
from twinbook_sandbox.salesforce.switches import SalesforceSwitches

QUICK = HttpSettings(read_timeout=0.3)
COLLECTION = re.compile(r"collections\..*")


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def shared_org(clock: Clock) -> Iterator[SalesforceOrg]:
    org = SalesforceOrg(clock)
    yield org
    org.close()


@pytest.fixture
def emulated(shared_org: SalesforceOrg) -> Iterator[SalesforceOrg]:
    """The org with its usual switches, whatever a test sets."""
    usual = SalesforceSwitches()
    yield shared_org
    for name in usual.__dataclass_fields__:
        setattr(shared_org.switches, name, getattr(usual, name))


@pytest.fixture
async def org(emulated: SalesforceOrg, clock: Clock) -> AsyncIterator[OrgInSandbox]:
    async with OrgInSandbox.serve(emulated, clock, settings=QUICK) as served:
        yield served


def calls(org: OrgInSandbox, kind: str) -> int:
    count = org.traffic.counters.get(kind)
    return count.calls if count else 0


class TestLogin:
    async def test_client_credentials(self, org: OrgInSandbox) -> None:
        credentials = org.org.credentials()
        grant = ClientCredentials(credentials["consumer_key"], credentials["consumer_secret"])
        async with HttpTransport(QUICK, time.time) as http:
            token = await TokenProvider(http, credentials["login_url"], grant, time.time).token()
        assert (token.org_id, token.user_id) == (credentials["org_id"], credentials["user_id"])

    async def test_a_wrong_secret_says_what_to_check(self, org: OrgInSandbox) -> None:
        credentials = org.org.credentials()
        grant = ClientCredentials(credentials["consumer_key"], "wrong")
        async with HttpTransport(QUICK, time.time) as http:
            with pytest.raises(PermanentError) as caught:
                await TokenProvider(http, credentials["login_url"], grant, time.time).token()
        assert "secret" in caught.value.remedy

    async def test_a_revoked_token_is_replaced_unnoticed(self, org: OrgInSandbox) -> None:
        contact = await org.contact(LastName="Okafor")
        await org.side.read_contacts([contact])
        org.org.revoke_tokens()
        assert contact in await org.side.read_contacts([contact])
        org.org.revoke_tokens()
        assert await org.side.update_contacts({contact: {"Phone": "1"}}) == {contact: Written(contact)}
        assert calls(org, "token") == 3

    async def test_an_expired_session_is_replaced(self, org: OrgInSandbox, clock: Clock) -> None:
        await org.side.count(Entity.CONTACT)
        clock.advance(3 * 3600)
        assert await org.side.count(Entity.CONTACT) == 0


class TestWeather:
    async def test_a_lost_answer_leaves_the_outcome_open(self, org: OrgInSandbox) -> None:
        contact = await org.contact(LastName="Okafor")
        await org.side.discover()
        org.traffic.add_fault(Fault(Effect.DROP_AFTER_COMMIT, kind=COLLECTION))
        with pytest.raises(TemporaryError) as caught:
            await org.side.update_contacts({contact: {"Phone": "1"}})
        assert caught.value.outcome_unknown
        assert (await org.side.read_contacts([contact]))[contact].fields["Phone"] == "1"

    async def test_silence_times_out(self, org: OrgInSandbox) -> None:
        await org.side.discover()
        org.traffic.add_fault(Fault(Effect.HANG, kind=COLLECTION))
        with pytest.raises(TemporaryError, match="TIMEOUT") as caught:
            await org.side.update_contacts({"0035g00000ZZZZZAA0": {"Phone": "1"}})
        assert caught.value.outcome_unknown

    async def test_an_html_page_from_a_gateway(self, org: OrgInSandbox) -> None:
        org.traffic.add_fault(Fault(Effect.STATUS, status=503, body="<html>maintenance</html>"))
        with pytest.raises(TemporaryError, match="HTTP_503"):
            await org.side.count(Entity.CONTACT)
        assert await org.side.count(Entity.CONTACT) == 0

    async def test_a_locked_row_fails_alone(self, org: OrgInSandbox) -> None:
        locked, free = await org.contact(LastName="Okafor"), await org.contact(LastName="Lind")
        org.org.actions()["lock_record"]({"id": locked})
        results = await org.side.update_contacts({locked: {"Phone": "1"}, free: {"Phone": "1"}})
        assert results[free] == Written(free)
        refused = results[locked]
        assert isinstance(refused, Failed)
        assert isinstance(refused.error, TemporaryError)

    async def test_the_daily_limit_pauses(self, org: OrgInSandbox) -> None:
        await org.side.discover()
        org.org.switches.daily_api_limit = 1
        with pytest.raises(TemporaryError, match="REQUEST_LIMIT_EXCEEDED") as caught:
            await org.side.count(Entity.CONTACT)
        assert (caught.value.retry_after or 0) > 60

    async def test_usage_is_known_without_asking(self, org: OrgInSandbox) -> None:
        await org.side.count(Entity.CONTACT)
        usage = org.side.rest.usage
        assert usage is not None
        assert (usage.used, usage.limit) == (1, 100_000)
        assert (await org.side.rest.limits())["DailyApiRequests"]["Max"] == 100_000

    async def test_a_validation_rule_speaks_for_itself(self, org: OrgInSandbox) -> None:
        contact = await org.contact(LastName="Okafor")
        rule = {"type": "Contact", "field": "Title", "forbidden": "Boss", "message": "No bosses here."}
        org.org.actions()["set_validation_rule"](rule)
        refused = (await org.side.update_contacts({contact: {"Title": "Boss"}}))[contact]
        assert isinstance(refused, Failed)
        assert "No bosses here." in refused.error.message


class TestPages:
    async def test_a_server_that_sends_fewer_rows_than_asked(self, org: OrgInSandbox) -> None:
        ids = [await org.contact(LastName=f"N{n}", Email="shared@example.com") for n in range(9)]
        org.org.switches.largest_page = 4
        assert sorted(await org.side.search_contacts(["shared@example.com"])) == sorted(ids)
        assert sorted(await org.side.read_contacts(ids)) == sorted(ids)
        assert calls(org, "query.more") == 4

    async def test_a_new_token_in_the_middle_of_a_query(self, org: OrgInSandbox) -> None:
        """The locator of the old session is dead: the query starts over, and nothing is there twice."""
        ids = [await org.contact(LastName=f"N{n}", Email="shared@example.com") for n in range(9)]
        org.org.switches.largest_page = 4
        await org.side.count(Entity.CONTACT)
        rejected = Fault(Effect.REJECT, kind=re.compile("query.more"), status=401, code="INVALID_SESSION_ID")
        org.traffic.add_fault(rejected)
        assert sorted(await org.side.search_contacts(["shared@example.com"])) == sorted(ids)
        assert rejected.hits == 1


class TestSetUps:
    async def test_a_plain_org(self, emulated: SalesforceOrg, clock: Clock) -> None:
        emulated.switches.middle_name = emulated.switches.person_accounts = False
        config = replace(CONFIG, contact_fields=("LastName", "MiddleName"))
        async with OrgInSandbox.serve(emulated, clock, config) as org:
            facts = await org.side.discover()
            contact = await org.contact(LastName="Okafor")
            read = (await org.side.read_contacts([contact]))[contact]
        assert (facts.person_accounts, facts.missing_contact_fields) == (False, ("MiddleName",))
        assert (read.fields, read.is_person_account) == ({"LastName": "Okafor"}, False)

    async def test_a_field_hidden_from_the_integration_user(self, org: OrgInSandbox) -> None:
        org.org.switches.hidden_fields = ["Contact.Phone", f"Contact.{CONFIG.push_field}"]
        facts = await org.side.discover()
        assert facts.missing_contact_fields == ("Phone",)
        assert (facts.push_on_contact, facts.push_on_account) == (False, True)
        contact = await org.contact(LastName="Okafor", Phone="1")
        assert "Phone" not in (await org.side.read_contacts([contact]))[contact].fields

    async def test_a_hidden_id_field_is_explained(self, org: OrgInSandbox) -> None:
        org.org.switches.hidden_fields = [f"Account.{CONFIG.id_field}"]
        with pytest.raises(PermanentError, match="ID_FIELD_MISSING"):
            await org.side.read_accounts([])

    async def test_an_older_org(self, org: OrgInSandbox) -> None:
        org.org.switches.newest_api_version = 66
        with pytest.raises(PermanentError) as caught:
            await org.side.discover()
        assert (caught.value.code, caught.value.remedy) == ("API_VERSION", "Set api_version to 66.0.")

    @pytest.mark.parametrize("allowed", [True, False])
    async def test_duplicate_alerts(self, emulated: SalesforceOrg, clock: Clock, allowed: bool) -> None:
        emulated.switches.duplicate_rule = "alert"
        config = replace(CONFIG, save_past_duplicate_alerts=allowed)
        async with OrgInSandbox.serve(emulated, clock, config) as org:
            await org.contact(LastName="Okafor", Email="n@example.com")
            results = await org.side.upsert_contacts({"17": {"LastName": "Okafor", "Email": "n@example.com"}})
        assert isinstance(results["17"], Written) is allowed
        if isinstance(results["17"], Failed):
            assert results["17"].error.code == "DUPLICATES_DETECTED"


class TestTls:
    async def test_a_certificate_of_ones_own(
        self, emulated: SalesforceOrg, clock: Clock, tmp_path: Path
    ) -> None:
        async with OrgInSandbox.serve(emulated, clock, tls=self_signed(tmp_path)) as org:
            assert await org.side.count(Entity.CONTACT) == 0

    async def test_an_unknown_certificate_is_refused_unless_the_settings_say_otherwise(
        self, emulated: SalesforceOrg, clock: Clock, tmp_path: Path
    ) -> None:
        async with OrgInSandbox.serve(emulated, clock, tls=self_signed(tmp_path)) as org:
            url = org.org.credentials()["login_url"]
            async with HttpTransport(QUICK, time.time) as http:
                with pytest.raises(PermanentError, match="TLS_CERTIFICATE"):
                    await http.request("GET", f"{url}/services/data/")
            async with HttpTransport(replace(QUICK, verify_tls=False), time.time) as http:
                assert (await http.request("GET", f"{url}/services/data/")).status == 200


async def test_twelve_calls_share_one_login(emulated: SalesforceOrg, clock: Clock) -> None:
    async with OrgInSandbox.serve(emulated, clock) as org:
        await asyncio.gather(*(org.side.read_contacts(["0035g00000ZZZZZAA0"]) for _ in range(12)))
        assert calls(org, "token") == 1
        assert calls(org, "describe") == 2
