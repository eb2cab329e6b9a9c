"""The record sites as a person without JavaScript uses them: read, search, edit, create, delete, undelete."""

import re
from collections.abc import AsyncIterator

import aiohttp
import pytest

from twinbook_sandbox.launch import Sandbox, SandboxOptions


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(SandboxOptions(accounts=3, contacts=60)) as running:
        yield running


class Browser:
    """Fetches pages and sends forms of one site."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str) -> None:
        self._session = session
        self._base_url = base_url

    async def get(self, path: str, status: int = 200) -> str:
        async with self._session.get(self._base_url + path) as response:
            assert response.status == status
            policy = response.headers["Content-Security-Policy"]
            page = await response.text()
        assert "default-src 'none'" in policy
        assert "<script" not in page
        assert "style=" not in page
        return page

    async def send(self, path: str, status: int = 200, **form: str) -> tuple[str, str]:
        """Returns the page that follows, and its path."""
        async with self._session.post(self._base_url + path, data=form) as response:
            assert response.status == status
            return await response.text(), response.url.path


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
def salesforce(session: aiohttp.ClientSession, sandbox: Sandbox) -> Browser:
    return Browser(session, sandbox.salesforce_url)


@pytest.fixture
def netsuite(session: aiohttp.ClientSession, sandbox: Sandbox) -> Browser:
    return Browser(session, sandbox.netsuite_url)


def form_of(page: str) -> dict[str, str]:
    """The text fields of a page's form, as they stand."""
    fields = dict(re.findall(r'name="([^"]+)"[^>]* value="([^"]*)"', page))
    return {name: value for name, value in fields.items() if name != "q"}


async def test_lists_page_and_search(salesforce: Browser) -> None:
    page = await salesforce.get("/ui/Contact")
    assert "1–25 of 60" in page
    assert page.count("<tr>") == 26
    third = await salesforce.get("/ui/Contact?page=3")
    assert "51–60 of 60" in third
    assert "Next" not in third
    assert "No contacts found" in await salesforce.get("/ui/Contact?q=%3Cscript%3Enobody")
    account = (await salesforce.get("/ui/Account")).split('<th scope="row">')[1]
    name = re.sub(r"<[^>]+>", "", account.split("</th>")[0]).strip()
    assert name in await salesforce.get(f"/ui/Account?q={name.lower().split()[0]}")


async def test_a_contact_is_created_edited_deleted_and_undeleted(
    salesforce: Browser, sandbox: Sandbox
) -> None:
    page, path = await salesforce.send(
        "/ui/Contact/new", LastName="O'Hara <b>", Email="scarlett@tara.example"
    )
    id_ = path.rpartition("/")[2]
    assert "O&#39;Hara &lt;b&gt;" in page
    assert sandbox.salesforce.read("Contact", id_)["Email"] == "scarlett@tara.example"
    await salesforce.send(path + "/edit", LastName="O'Hara", Email="", MailingStreet="Tara 1\r\nback door")
    saved = sandbox.salesforce.read("Contact", id_)
    assert (saved["Email"], saved["LastName"], saved["MailingStreet"]) == (
        None,
        "O'Hara",
        "Tara 1\nback door",
    )
    page, _ = await salesforce.send(path + "/delete")
    assert "recycle bin" in page
    assert sandbox.salesforce.read("Contact", id_)["IsDeleted"] is True
    await salesforce.send(path + "/undelete")
    assert sandbox.salesforce.read("Contact", id_)["IsDeleted"] is False


async def test_a_refused_save_shows_the_error_beside_what_was_typed(salesforce: Browser) -> None:
    page, _ = await salesforce.send("/ui/Contact/new", status=400, LastName="Curie", Email="no address")
    assert 'role="alert"' in page
    assert re.search(r'id="f-Email"[^>]*aria-invalid="true"[^>]*value="no address"', page)
    assert 'value="Curie"' in page


async def test_saving_a_form_unchanged_writes_nothing(salesforce: Browser, sandbox: Sandbox) -> None:
    contact = sandbox.salesforce.list("Contact", {}, 1, 0)[0]
    path = f"/ui/Contact/{contact['Id']}/edit"
    sandbox.clock.advance(60)
    page = await salesforce.get(path)
    texts = dict(re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>\n(.*?)</textarea>', page, re.DOTALL))
    chosen = dict(re.findall(r'<select[^>]*name="(\w+)"[^>]*>.*?<option selected>([^<]*)', page, re.DOTALL))
    await salesforce.send(path, **form_of(page), **texts, **chosen)
    assert (
        sandbox.salesforce.read("Contact", contact["Id"])["LastModifiedDate"] == contact["LastModifiedDate"]
    )


async def test_only_the_integration_panel_shows_the_hidden_id(salesforce: Browser, sandbox: Sandbox) -> None:
    account = next(a for a in sandbox.salesforce.list("Account", {}, 10, 0) if a["NetSuite_Id__c"])
    page = await salesforce.get(f"/ui/Account/{account['Id']}")
    before, _, panel = page.partition(">Integration<")
    assert account["NetSuite_Id__c"] in panel
    assert "NetSuite Id" not in before


async def test_related_lists_lead_there_and_new_ones_know_their_account(
    salesforce: Browser, sandbox: Sandbox
) -> None:
    contact = sandbox.salesforce.list("Contact", {}, 1, 0)[0]
    account = await salesforce.get(f"/ui/Account/{contact['AccountId']}")
    assert f'href="/ui/Contact/new?AccountId={contact["AccountId"]}"' in account
    form = await salesforce.get(f"/ui/Contact/new?AccountId={contact['AccountId']}")
    assert f'value="{contact["AccountId"]}"' in form
    assert f'href="/ui/Account/{contact["AccountId"]}"' in await salesforce.get(
        f"/ui/Contact/{contact['Id']}"
    )


async def test_the_netsuite_contact_shows_the_salesforce_id_on_its_custom_subtab(
    netsuite: Browser, sandbox: Sandbox
) -> None:
    customer = sandbox.netsuite.list("customer", {}, 1, 0)[0]["id"]
    id_ = sandbox.netsuite.insert(
        "contact",
        {
            "firstName": "Ada",
            "lastName": "Lovelace",
            "company": {"id": customer},
            "custentity_twinbook_sf_id": "0035g00000AbCdEAAV",
        },
    )
    page = await netsuite.get(f"/ui/contact/{id_}?tab=Custom")
    assert "0035g00000AbCdEAAV" in page
    assert f'href="/ui/customer/{customer}"' in page
    assert "0035g00000AbCdEAAV" not in await netsuite.get(f"/ui/contact/{id_}?tab=Address")
    assert "Ada Lovelace" in await netsuite.get(f"/ui/customer/{customer}?tab=Contacts")


async def test_a_netsuite_contact_is_edited_with_its_address(netsuite: Browser, sandbox: Sandbox) -> None:
    _, path = await netsuite.send(
        "/ui/contact/new",
        firstName="Alan",
        lastName="Turing",
        **{"address.addr1": "1 Park", "address.country": "GB"},
    )
    id_ = path.rpartition("/")[2]
    page = await netsuite.get(path + "/edit")
    await netsuite.send(path + "/edit", **{**form_of(page), "address.city": "Bletchley", "isInactive": "on"})
    saved = sandbox.netsuite.read("contact", id_)
    assert saved["isInactive"] is True
    (line,) = saved["addressBook"]
    assert (line["addressBookAddress"]["addr1"], line["addressBookAddress"]["city"]) == (
        "1 Park",
        "Bletchley",
    )


async def test_netsuite_refuses_a_name_that_is_taken(netsuite: Browser) -> None:
    await netsuite.send("/ui/contact/new", firstName="Grace", lastName="Hopper")
    page, _ = await netsuite.send("/ui/contact/new", status=400, firstName="Grace", lastName="Hopper")
    assert "already exists" in page


@pytest.mark.parametrize(
    "path", ["/ui/Nothing", "/ui/Contact/003000000000000AAA", "/ui/Contact/%22x", "/ui/contact"]
)
async def test_what_there_is_not(salesforce: Browser, path: str) -> None:
    await salesforce.get(path, status=404)


async def test_forms_of_other_sites_are_refused(
    session: aiohttp.ClientSession, salesforce: Browser, sandbox: Sandbox
) -> None:
    before = sandbox.salesforce.count("Contact")
    url = sandbox.salesforce_url + "/ui/Contact/new"
    async with session.post(
        url, data={"LastName": "X"}, headers={"Origin": "https://evil.example"}
    ) as response:
        assert response.status == 404
    assert sandbox.salesforce.count("Contact") == before
