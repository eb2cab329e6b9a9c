"""The record service of the emulated NetSuite account over HTTP (netsuite.md 2, 3)."""

import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.unit.sandbox_netsuite_rig import BASE, RECORDS, Rig, detail

NAME_TAKEN = (
    "Error while accessing a resource. A contact record with this name already exists. "
    "Every contact record must have a unique name."
)


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with Rig() as rig:
        yield rig


async def test_created_contact_reads_back(rig: Rig) -> None:
    customer = await rig.customer()
    answer = await rig.call(
        "POST",
        "/contact",
        {
            "externalId": "SFC_003A",
            "firstName": "Ada",
            "middleName": "King",
            "lastName": "Lovelace",
            "email": " ada@acme.example ",
            "company": {"id": customer},
            "subsidiary": {"id": "1"},
            "custentity_twinbook_sf_id": "003A",
        },
    )
    assert answer.status_code == 204 and answer.content == b""
    location = answer.headers["Location"]
    id_ = location.rpartition("/")[2]
    assert location == f"{BASE}{RECORDS}/contact/{id_}"
    contact = await rig.get("contact", id_)
    assert contact["entityId"] == "Ada King Lovelace"
    assert contact["email"] == "ada@acme.example"
    assert contact["company"] == {
        "links": [{"rel": "self", "href": f"{BASE}{RECORDS}/customer/{customer}"}],
        "id": customer,
        "refName": "Acme GmbH",
    }
    assert contact["dateCreated"] == contact["lastModifiedDate"] == "2026-10-01T09:15:00Z"
    assert contact["id"] == id_ and contact["isInactive"] is False
    assert contact["addressBook"] == {"links": [{"rel": "self", "href": f"{location}/addressBook"}]}
    assert "phone" not in contact and "title" not in contact
    assert await rig.get("contact", "eid:SFC_003A") == contact


async def test_get_takes_fields_and_simple_enums(rig: Rig) -> None:
    id_ = await rig.contact()
    assert set(await rig.get("contact", id_, fields="firstName,isInactive")) == {
        "links",
        "id",
        "firstName",
        "isInactive",
    }
    assert (await rig.get("contact", id_))["emailPreference"] == {"id": "DEFAULT", "refName": "Default"}
    assert (await rig.get("contact", id_, simpleEnumFormat="true"))["emailPreference"] == "DEFAULT"
    answer = await rig.call("GET", f"/contact/{id_}", params={"fields": "nonsense"})
    assert detail(answer)["o:errorQueryParam"] == "fields"


async def test_patch_changes_what_is_named_and_null_clears(rig: Rig) -> None:
    id_ = await rig.contact(phone="+49 30 1234567", title="Analyst")
    rig.clock.advance(65)
    answer = await rig.call("PATCH", f"/contact/{id_}", {"phone": None, "email": "a@b.example"})
    assert answer.status_code == 204 and answer.headers["Location"].endswith(f"/contact/{id_}")
    contact = await rig.get("contact", id_)
    assert "phone" not in contact and contact["title"] == "Analyst" and contact["email"] == "a@b.example"
    assert contact["lastModifiedDate"] == "2026-10-01T09:16:05Z"
    assert contact["dateCreated"] == "2026-10-01T09:15:00Z"


async def test_put_creates_then_updates_without_blanking(rig: Rig) -> None:
    body = {"firstName": "Ada", "lastName": "Lovelace", "subsidiary": {"id": "1"}, "title": "Analyst"}
    for change in (body, {"email": "a@b.example"}):
        assert (await rig.call("PUT", "/contact/eid:SFC_1", change)).status_code == 204
    contact = await rig.get("contact", "eid:SFC_1")
    assert contact["title"] == "Analyst" and contact["email"] == "a@b.example"
    assert rig.account.count("contact") == 1
    answer = await rig.call("PUT", f"/contact/{contact['id']}", body)
    assert answer.status_code == 400


@pytest.mark.parametrize("form", [{"id": "{}"}, {"id": 0}, "{}", 0, {"externalId": "SFA_1"}])
async def test_references_are_taken_in_all_forms(rig: Rig, form: Any) -> None:
    customer = await rig.customer(externalId="SFA_1")
    if isinstance(form, dict):
        form = {
            name: customer if value == "{}" else int(customer) if value == 0 else value
            for name, value in form.items()
        }
    else:
        form = customer if form == "{}" else int(customer)
    id_ = await rig.contact(company=form, subsidiary="1")
    assert (await rig.get("contact", id_))["company"]["id"] == customer


async def test_missing_reference_names_field_and_value(rig: Rig) -> None:
    answer = await rig.call(
        "POST", "/contact", {"firstName": "A", "subsidiary": {"id": "1"}, "company": {"id": "9999"}}
    )
    assert detail(answer) == {
        "status": 400,
        "detail": "Error while accessing a resource. You have entered an Invalid Field Value 9999 "
        "for the following field: company",
        "o:errorPath": "company",
        "o:errorCode": "INVALID_CONTENT",
    }


async def test_unknown_properties_by_validation_header(rig: Rig) -> None:
    body = {"firstName": "Ada", "subsidiary": "1", "custentity_gone": "x"}
    told = detail(await rig.call("POST", "/contact", body))
    assert told["o:errorCode"] == "INVALID_CONTENT" and told["o:errorPath"] == "custentity_gone"
    assert rig.account.count("contact") == 0
    warned = await rig.call(
        "POST", "/contact", body, headers={"X-NetSuite-PropertyNameValidation": "Warning"}
    )
    assert warned.status_code == 204
    assert "custentity_gone" in warned.headers[rig.switches.property_warning_header]
    ignored = await rig.call(
        "PATCH",
        warned.headers["Location"].removeprefix(BASE + RECORDS),
        body,
        headers={"X-NetSuite-PropertyNameValidation": "ignore"},
    )
    assert ignored.status_code == 204 and rig.switches.property_warning_header not in ignored.headers
    wrong = await rig.call("POST", "/contact", body, headers={"X-NetSuite-PropertyNameValidation": "Maybe"})
    assert detail(wrong)["o:errorCode"] == "INVALID_HEADER"


async def test_wrong_types_by_validation_header(rig: Rig) -> None:
    body = {"firstName": "Ada", "subsidiary": "1", "isInactive": "yes", "title": {"a": 1}}
    assert detail(await rig.call("POST", "/contact", body))["o:errorPath"] == "isInactive"
    answer = await rig.call(
        "POST", "/contact", body, headers={"X-NetSuite-PropertyValueValidation": "Ignore"}
    )
    assert answer.status_code == 204


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("phone", "1" * 33, "USER_ERROR"),
        ("firstName", "x" * 33, "USER_ERROR"),
        ("entityId", "x" * 84, "USER_ERROR"),
        ("comments", "x" * 1000, "USER_ERROR"),
        ("custentity_twinbook_sf_id", "x" * 19, "USER_ERROR"),
        ("email", "not an email", "INVALID_CONTENT"),
        ("phone", "123", "INVALID_CONTENT"),
        ("externalId", "with blank", "INVALID_CONTENT"),
        ("emailPreference", {"id": "MORSE"}, "INVALID_CONTENT"),
    ],
)
async def test_values_that_will_not_do(rig: Rig, field: str, value: Any, code: str) -> None:
    answer = await rig.call("POST", "/contact", {"firstName": "Ada", "subsidiary": "1", field: value})
    told = detail(answer)
    assert told["status"] == 400 and told["o:errorCode"] == code and field in told["detail"]
    assert rig.account.count("contact") == 0


async def test_length_error_has_two_known_texts(rig: Rig) -> None:
    body = {"firstName": "Ada", "subsidiary": "1", "phone": "1" * 33}
    assert (
        "maximum number ( 32 ) of characters allowed."
        in detail(await rig.call("POST", "/contact", body))["detail"]
    )
    rig.switches.length_error_form = "plain"
    assert (
        "field phone contained more than the maximum number (32) of characters"
        in detail(await rig.call("POST", "/contact", body))["detail"]
    )


async def test_mandatory_fields(rig: Rig) -> None:
    told = detail(await rig.call("POST", "/contact", {"title": "Analyst"}))
    assert told["detail"] == "Error while accessing a resource. Please enter value(s) for: Name, Subsidiary."
    assert told["o:errorCode"] == "USER_ERROR"
    rig.switches.mandatory_fields = ["title", "customer.phone"]
    assert (
        "Job Title"
        in detail(await rig.call("POST", "/contact", {"firstName": "A", "subsidiary": "1"}))["detail"]
    )
    assert (
        "Phone"
        in detail(await rig.call("POST", "/customer", {"companyName": "A", "subsidiary": "1"}))["detail"]
    )
    assert "Company Name" in detail(await rig.call("POST", "/customer", {"subsidiary": "1"}))["detail"]


async def test_contact_name_is_unique_per_company(rig: Rig) -> None:
    acme, other = await rig.customer(), await rig.customer("Other")
    first = await rig.contact(company=acme)
    told = detail(
        await rig.call("POST", "/contact", {"entityId": "ada LOVELACE", "company": acme, "subsidiary": "1"})
    )
    assert told == {"status": 400, "detail": NAME_TAKEN, "o:errorCode": "USER_ERROR"}
    second = await rig.contact(company=other)
    await rig.contact()
    assert (
        detail(await rig.call("POST", "/contact", {"entityId": "Ada Lovelace", "subsidiary": "1"}))["detail"]
        == NAME_TAKEN
    )
    moved = await rig.call("PATCH", f"/contact/{second}", {"company": {"id": acme}})
    assert detail(moved)["detail"] == NAME_TAKEN
    assert (await rig.get("contact", second))["company"]["id"] == other
    assert (await rig.call("PATCH", f"/contact/{first}", {"entityId": "Ada Lovelace"})).status_code == 204


async def test_contact_name_rule_by_switches(rig: Rig) -> None:
    acme = await rig.customer()
    await rig.contact(company=acme, isInactive=True)
    same = {"firstName": "Ada", "lastName": "LOVELACE", "subsidiary": "1"}
    rig.switches.contact_name_case_sensitive = True
    a = await rig.call("POST", "/contact", {**same, "company": acme})
    assert a.status_code == 204
    rig.switches.contact_name_case_sensitive = False
    rig.switches.contact_name_scope = "global"
    assert detail(await rig.call("POST", "/contact", same))["detail"] == NAME_TAKEN
    rig.switches.contact_name_scope = "off"
    assert (await rig.call("POST", "/contact", same)).status_code == 204


async def test_inactive_names_may_be_free(rig: Rig) -> None:
    await rig.contact(isInactive=True)
    rig.switches.inactive_names_count = False
    await rig.contact()


@pytest.mark.parametrize("recompose", [False, True])
async def test_name_change_recomposes_by_switch(rig: Rig, recompose: bool) -> None:
    rig.switches.recompose_entityid_on_name_change = recompose
    id_ = await rig.contact()
    await rig.call("PATCH", f"/contact/{id_}", {"lastName": "King"})
    assert (await rig.get("contact", id_))["entityId"] == ("Ada King" if recompose else "Ada Lovelace")


async def test_external_ids_are_one_namespace(rig: Rig) -> None:
    await rig.customer(externalId="KEY_1")
    body = {"firstName": "Ada", "subsidiary": "1", "externalId": "KEY_1"}
    told = detail(await rig.call("POST", "/contact", body))
    assert told["detail"] == "Error while accessing a resource. This entity already exists."
    assert (
        detail(await rig.call("PUT", "/contact/eid:KEY_1", {"firstName": "Ada", "subsidiary": "1"}))[
            "o:errorCode"
        ]
        == "USER_ERROR"
    )
    id_ = await rig.contact(externalId="KEY_2")
    assert (await rig.call("PATCH", f"/contact/{id_}", {"externalId": "KEY_3"})).status_code == 204
    assert detail(await rig.call("GET", "/contact/eid:KEY_2"))["o:errorCode"] == "NONEXISTENT_ID"
    assert (await rig.get("contact", "eid:KEY_3"))["id"] == id_


async def test_company_name_of_customers_is_unique(rig: Rig) -> None:
    await rig.customer()
    told = detail(await rig.call("POST", "/customer", {"companyName": "acme gmbh", "subsidiary": "1"}))
    assert (
        told["o:errorCode"] == "USER_ERROR"
        and "customer record with this ID already exists" in told["detail"]
    )
    rig.switches.customer_auto_number = True
    second = await rig.get("customer", await rig.customer())
    assert second["entityId"] == "CUST2" and second["companyName"] == "Acme GmbH"


async def test_subsidiary_must_suit_the_company(rig: Rig) -> None:
    berlin = await rig.create("subsidiary", name="Berlin", parent={"id": "1"})
    assert (await rig.get("subsidiary", berlin))["fullName"] == "Parent Company : Berlin"
    acme = await rig.customer()
    body = {"firstName": "Ada", "subsidiary": berlin, "company": acme}
    told = detail(await rig.call("POST", "/contact", body))
    assert told["o:errorCode"] == "USER_ERROR" and "subsidiary restrictions" in told["detail"]
    rig.account.actions()["add_subsidiary"]({"customer": acme, "subsidiary": berlin})
    assert (await rig.call("POST", "/contact", body)).status_code == 204


async def test_account_without_subsidiaries(rig: Rig) -> None:
    rig.switches.oneworld = False
    told = detail(await rig.call("POST", "/contact", {"firstName": "Ada", "subsidiary": "1"}))
    assert told["o:errorPath"] == "subsidiary"
    id_ = await rig.create("contact", firstName="Ada")
    assert "subsidiary" not in await rig.get("contact", id_)
    assert (
        detail(await rig.call("GET", "/subsidiary/1"))["detail"] == "Record type 'subsidiary' does not exist."
    )
    assert await rig.rows("SELECT id FROM contact") == [{"id": id_}]


async def test_locked_record_and_script_refuse_saves(rig: Rig) -> None:
    id_ = await rig.contact()
    acts = rig.account.actions()
    acts["lock"]({"type": "contact", "id": id_})
    assert (
        "locked by a user defined workflow"
        in detail(await rig.call("PATCH", f"/contact/{id_}", {"title": "X"}))["detail"]
    )
    acts["unlock"]({"type": "contact", "id": id_})
    rig.switches.user_event_reject = "Titles need approval."
    rig.switches.user_event_reject_if = "title=Boss"
    assert (await rig.call("PATCH", f"/contact/{id_}", {"title": "X"})).status_code == 204
    told = detail(await rig.call("PATCH", f"/contact/{id_}", {"title": "Boss"}))
    assert told["detail"] == "Error while accessing a resource. Titles need approval."
    rig.account.update("contact", id_, {"title": "Boss"})


async def test_delete_and_what_remains(rig: Rig) -> None:
    acme = await rig.customer()
    id_ = await rig.contact(company=acme, externalId="SFC_1")
    assert detail(await rig.call("DELETE", f"/customer/{acme}"))["o:errorCode"] == "USER_ERROR"
    rig.account.actions()["refer"]({"type": "contact", "id": id_})
    assert "dependent records" in detail(await rig.call("DELETE", f"/contact/{id_}"))["detail"]
    rig.account.actions()["refer"]({"type": "contact", "id": id_, "refer": False})
    assert (await rig.call("DELETE", "/contact/eid:SFC_1")).status_code == 204
    told = detail(await rig.call("GET", "/contact/eid:SFC_1"))
    assert told["status"] == 404 and "for external ID 'SFC_1' does not exist" in told["detail"]
    assert detail(await rig.call("GET", f"/contact/{id_}"))["detail"] == (
        "The record instance does not exist. Provide a valid record instance ID."
    )
    deleted = rig.account.read("contact", id_)
    assert deleted is not None and deleted["isDeleted"] and deleted["entityId"] == "Ada Lovelace"
    (row,) = await rig.rows("SELECT recordid, type, name FROM deletedrecord")
    assert row == {"recordid": id_, "type": "Contact", "name": "Ada Lovelace"}
    await rig.contact(company=acme, externalId="SFC_1")


async def test_delete_with_dependents_by_switch(rig: Rig) -> None:
    rig.switches.delete_with_dependents = "allow"
    acme = await rig.customer()
    id_ = await rig.contact(company=acme)
    assert (await rig.call("DELETE", f"/customer/{acme}")).status_code == 204
    assert "company" not in await rig.get("contact", id_)


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("GET", "/widget/1", 404, "Record type 'widget' does not exist."),
        ("GET", "/contact/abc", 404, "The record instance does not exist."),
        ("GET", "/contact/99999999999999999999", 404, "The record instance does not exist."),
        ("PATCH", "/contact/eid:NONE", 404, "for external ID 'NONE'"),
        ("POST", "/contact/1", 405, "Method not allowed."),
        ("DELETE", "/contact", 405, "Method not allowed."),
        ("GET", "/contact/eid:A%7CB", 400, "Invalid request URL."),
        ("GET", "/contact/1/2/3/4/5", 400, "Invalid request URL."),
    ],
)
async def test_wrong_paths_and_methods(rig: Rig, method: str, path: str, status: int, text: str) -> None:
    told = detail(await rig.call(method, path, {} if method in ("PATCH", "POST") else None))
    assert told["status"] == status and text in told["detail"]


async def test_wrong_bodies(rig: Rig) -> None:
    url = f"{RECORDS}/contact"
    broken = await rig.http.post(url, content=b"{", headers={"Content-Type": "application/json"})
    assert (
        detail(broken)["o:errorCode"] == "INVALID_CONTENT"
        and "Invalid content in the request body" in broken.text
    )
    assert detail(await rig.http.post(url, json=[1]))["o:errorCode"] == "INVALID_CONTENT"
    assert (
        await rig.http.post(url, content=b"a=b", headers={"Content-Type": "text/plain"})
    ).status_code == 415
    batch = {"Content-Type": "application/vnd.oracle.resource+json; type=collection"}
    assert (await rig.http.post(url, content=b'{"items":[]}', headers=batch)).status_code == 400
    assert (await rig.http.post(url, json={}, headers={"Prefer": "respond-async"})).status_code == 400


async def test_options_lists_methods(rig: Rig) -> None:
    answer = await rig.http.options(f"{RECORDS}/contact")
    assert answer.status_code == 204 and "POST" in answer.headers["Allow"]
    assert "PATCH" in (await rig.http.options(f"{RECORDS}/contact/1")).headers["Allow"]
    assert (await rig.http.options("/services/rest/*")).status_code == 204


async def test_what_live_tests_of_other_clients_rely_on(rig: Rig) -> None:
    """A slash at the end of a collection, and a body without a media type (netsuite.md 9)."""
    made = await rig.http.post(f"{RECORDS}/customer/", content=b'{"companyName": "Acme", "subsidiary": "1"}')
    assert made.status_code == 204
    assert (await rig.http.get(f"{RECORDS}/customer/")).json()["count"] == 1


async def test_role_permissions(rig: Rig) -> None:
    id_ = await rig.contact()
    rig.switches.role_permissions = {"LIST_CONTACT": "VIEW"}
    told = detail(await rig.call("PATCH", f"/contact/{id_}", {"title": "X"}))
    assert told["status"] == 403 and "'Lists -> Contacts' permission" in told["detail"]
    assert (await rig.call("GET", f"/contact/{id_}")).status_code == 403, (
        "a record is loaded as if for editing"
    )
    assert await rig.rows("SELECT id FROM contact") == [{"id": id_}]


async def test_private_contact_is_for_its_owner(rig: Rig) -> None:
    theirs = rig.account.insert("contact", {"firstName": "Secret", "isPrivate": True})
    mine = await rig.contact(isPrivate=True)
    assert (await rig.call("GET", f"/contact/{theirs}")).status_code == 403
    assert await rig.rows("SELECT id FROM contact") == [{"id": mine}]
    assert [item["id"] for item in (await rig.call("GET", "/contact")).json()["items"]] == [mine]


async def test_nothing_is_half_written(rig: Rig) -> None:
    body = {
        "firstName": "Ada",
        "subsidiary": "1",
        "addressBook": {"items": [{"addressBookAddress": {"city": "x" * 51}}]},
    }
    assert (await rig.call("POST", "/contact", body)).status_code == 400
    assert rig.account.count("contact") == 0
    id_ = await rig.contact()
    answer = await rig.call("PATCH", f"/contact/{id_}", {"title": "New", "addressBook": body["addressBook"]})
    assert answer.status_code == 400
    assert "title" not in await rig.get("contact", id_)


async def test_attach_gives_roles_and_one_primary(rig: Rig) -> None:
    acme = await rig.customer(externalId="SFA_1")
    first, second = await rig.contact(externalId="SFC_1"), await rig.contact(firstName="Alan")
    assert (
        await rig.call("POST", f"/customer/{acme}/!attach/contact/{first}", {"role": {"id": "-10"}})
    ).status_code == 204
    assert (await rig.get("customer", acme))["contact"]["id"] == first
    answer = await rig.call("POST", f"/customer/eid:SFA_1/!attach/contact/{second}", {"role": {"id": -10}})
    assert answer.status_code == 204
    assert (await rig.get("customer", acme))["contact"]["id"] == second
    rows = await rig.rows("SELECT company, contact, role FROM companycontactrelationship ORDER BY contact")
    assert rows == [{"company": acme, "contact": first}, {"company": acme, "contact": second, "role": "-10"}]
    assert (await rig.http.post(f"{RECORDS}/customer/{acme}/!detach/contact/eid:SFC_1")).status_code == 204
    assert len(await rig.rows("SELECT contact FROM companycontactrelationship")) == 1
    assert (
        detail(await rig.call("POST", f"/customer/{acme}/!attach/contact/{first}", {"role": {"id": "77"}}))[
            "o:errorPath"
        ]
        == "role"
    )
    assert (await rig.call("POST", f"/contact/{first}/!attach/contact/{second}")).status_code == 400
    rig.switches.reattach_unchanged = "refuse"
    assert (
        await rig.call("POST", f"/customer/{acme}/!attach/contact/{second}", {"role": {"id": "-10"}})
    ).status_code == 400
    rig.switches.release = "2025.2"
    assert (
        detail(await rig.call("POST", f"/customer/{acme}/!attach/contact/{first}"))["o:errorCode"]
        == "INVALID_URL"
    )


@pytest.mark.parametrize("bumps", [False, True])
async def test_what_moves_the_modified_date(rig: Rig, bumps: bool) -> None:
    acme, id_ = await rig.customer(), await rig.contact()
    rig.switches.attach_bumps_lastmodified = bumps
    rig.switches.address_bumps_lastmodified = bumps
    rig.switches.custom_field_bumps_lastmodified = bumps
    calls = [
        ("POST", f"/customer/{acme}/!attach/contact/{id_}", {}),
        (
            "PATCH",
            f"/contact/{id_}",
            {"addressBook": {"items": [{"addressBookAddress": {"addr1": "Street"}}]}},
        ),
        ("PATCH", f"/contact/{id_}", {"custentity_twinbook_sf_id": "003"}),
    ]
    for method, path, body in calls:
        before = (await rig.get("contact", id_))["lastModifiedDate"]
        rig.clock.advance(10)
        assert (await rig.call(method, path, body)).status_code == 204
        assert ((await rig.get("contact", id_))["lastModifiedDate"] != before) == bumps, path


async def test_what_was_read_can_be_sent_back(rig: Rig) -> None:
    acme = await rig.customer()
    lines = {"items": [{"addressBookAddress": {"addr1": "Street", "country": {"id": "DE"}}}]}
    id_ = await rig.contact(
        company=acme, addressBook=lines, category={"items": [{"id": "1"}]}, externalId="SFC_1"
    )
    before = await rig.get("contact", id_, expandSubResources="true")
    for expand in ("true", "false"):
        read = await rig.get("contact", id_, expandSubResources=expand)
        assert (await rig.call("PUT", "/contact/eid:SFC_1", read)).status_code == 204
        assert await rig.get("contact", id_, expandSubResources="true") == before


@pytest.mark.parametrize(
    "body",
    [{"company": {"id": 10**30}}, {"owner": 10**30}, {"company": {}}, {"company": [1]}, {"category": 7}],
)
async def test_odd_values_are_refused_not_stumbled_over(rig: Rig, body: dict[str, Any]) -> None:
    answer = await rig.call("POST", "/contact", {"firstName": "Ada", "subsidiary": "1", **body})
    assert detail(answer)["o:errorCode"] == "INVALID_CONTENT"


async def test_warning_about_a_foreign_letter(rig: Rig) -> None:
    body = {"firstName": "Ada", "subsidiary": "1", "größe": 1}
    answer = await rig.call(
        "POST", "/contact", body, headers={"X-NetSuite-PropertyNameValidation": "Warning"}
    )
    assert answer.status_code == 204 and "gr\\xf6" in answer.headers[rig.switches.property_warning_header]


async def test_saves_are_listed_with_their_moment(rig: Rig) -> None:
    id_ = await rig.contact()
    began = time.time()
    await rig.call("PATCH", f"/contact/{id_}", {"title": "Countess"})
    saves = rig.account.actions()["saves"]
    [save] = saves({"since": began})
    assert (save["record"], save["id"], save["type"]) == ("contact", str(id_), "edit")
    assert began < save["at"] <= time.time()
    assert len(saves({})) == 2
