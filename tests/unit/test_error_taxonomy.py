"""Every documented code of both systems becomes the right kind of error, with what to do about it in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import grpc
import grpc.aio
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.data.vendor_codes import (
    NETSUITE,
    NETSUITE_CORE,
    NETSUITE_LOGIN,
    PUBSUB,
    SALESFORCE,
    SALESFORCE_LOGIN,
    Kind,
    Subscribing,
)
from tests.memory.http import reply
from tests.memory.netsuite_http import ScriptedHttp, answer, refusal

from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.domain.ports import EventsUnavailable, PositionLost
from twinbook.http import HttpResponse
from twinbook.netsuite.auth import ClientCredentials, OAuth2Login
from twinbook.netsuite.errors import _FALLBACK_REMEDY, Refusal, concerns_login, error_from, judged
from twinbook.salesforce.auth import REMEDIES as REMEDIES_OF_LOGIN
from twinbook.salesforce.auth import login_error
from twinbook.salesforce.bulk import BulkQuery, JobLostError
from twinbook.salesforce.errors import REMEDIES, TEMPORARY, from_record, from_response
from twinbook.salesforce.event_errors import _BY_CODE, event_failure, is_login_refusal
from twinbook.salesforce.rest import SalesforceRest


@pytest.mark.parametrize(("status", "code", "kind"), SALESFORCE)
def test_salesforce(status: int, code: str, kind: Kind) -> None:
    called = from_response("PATCH", reply(status, [{"errorCode": code, "message": "m"}]))
    within = from_record([{"statusCode": code, "message": "m", "fields": []}])
    for error in (called, within):
        assert error.code == code
        assert isinstance(error, TemporaryError if kind == "temporary" else PermanentError)
        if isinstance(error, PermanentError):
            assert error.remedy == REMEDIES[code]


def test_salesforce_knows_no_code_of_both_kinds() -> None:
    assert not TEMPORARY & REMEDIES.keys()


@pytest.mark.parametrize(("status", "code", "text", "made"), NETSUITE)
def test_netsuite(status: int, code: str, text: str, made: str | None) -> None:
    given = refusal(status, code, text) if code else answer(status)
    _judged(error_from(given, writing=True), made)


@pytest.mark.parametrize(("code", "made"), NETSUITE_CORE)
def test_netsuite_core_codes_of_scripts(code: str, made: str | None) -> None:
    given = answer(400, {"error": {"code": code, "message": "Some words of NetSuite."}})
    _judged(error_from(given, writing=True), made)
    # The same of one record in a batch of the RESTlet, whose call has worked.
    _judged(judged(Refusal(400, code, "Some words of NetSuite."), writing=True), made)


@pytest.mark.parametrize(("code", "text", "kind"), SALESFORCE_LOGIN)
def test_salesforce_login(code: str, text: str, kind: Kind) -> None:
    error = login_error(reply(400, {"error": code, **({"error_description": text} if text else {})}))
    assert error.code == code
    assert isinstance(error, TemporaryError if kind == "temporary" else PermanentError)
    if isinstance(error, PermanentError):
        assert error.remedy in {remedy for known, _, remedy in REMEDIES_OF_LOGIN if known == code}


@pytest.mark.parametrize(("code", "status", "means"), PUBSUB)
def test_change_events(code: str, status: str | None, means: Subscribing) -> None:
    assert _BY_CODE[code].name.lower() == means
    made = {"position": PositionLost, "unavailable": EventsUnavailable, "defect": PermanentError}
    # The code decides, whatever the status: of many it is not documented.
    for each in (status or "UNKNOWN", "INTERNAL"):
        trailers = grpc.aio.Metadata(("error-code", f"sfdc.platform.eventbus.grpc.{code}"))
        given = grpc.aio.AioRpcError(grpc.StatusCode[each], grpc.aio.Metadata(), trailers, "text")
        assert type(event_failure(given)) is made.get(means, TemporaryError)
        assert is_login_refusal(given) is (means == "login")


@pytest.mark.parametrize("state", ["Failed", "Aborted", "Something new"])
async def test_a_bulk_job_without_a_result_has_its_list_made_in_another_way(state: str) -> None:
    rest = cast(SalesforceRest, _Answering({"state": state}))
    with pytest.raises(JobLostError):
        await BulkQuery(rest).is_complete("750")


@pytest.mark.parametrize(("status", "code"), NETSUITE_LOGIN)
async def test_netsuite_login(status: int, code: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    login = OAuth2Login(
        ScriptedHttp(lambda _: answer(status, {"error": code})),
        "https://n.example",
        lambda: ClientCredentials("client", "certificate", key.decode()),
        wall=lambda: 0.0,
        monotonic=lambda: 0.0,
    )
    with pytest.raises(PermanentError) as refused:
        await login.authorization("GET", "https://n.example/x")
    assert refused.value.code == code.upper()
    assert refused.value.remedy and refused.value.remedy != _FALLBACK_REMEDY
    assert concerns_login(refused.value)


@dataclass
class _Answering:
    """A client that gets the same answer to everything."""

    body: object

    async def send(self, _method: str, _path: str) -> HttpResponse:
        return reply(200, self.body)


def _judged(error: TemporaryError | PermanentError, made: str | None) -> None:
    if made is None:
        assert isinstance(error, TemporaryError)
        return
    assert isinstance(error, PermanentError)
    assert error.code == made
    assert error.remedy and error.remedy != _FALLBACK_REMEDY
    # Only a refused login speaks of all records at once; a poisonous record never holds up the others.
    assert concerns_login(error) is (made == "INVALID_LOGIN")
