"""Every documented code of both systems becomes the right kind of error, with what to do about it in plain words."""

from __future__ import annotations

import pytest
from tests.data.vendor_codes import NETSUITE, NETSUITE_CORE, SALESFORCE, Kind
from tests.memory.http import reply
from tests.memory.netsuite_http import answer, refusal

from twinbook.domain.errors import PermanentError, TemporaryError
from twinbook.netsuite.errors import _FALLBACK_REMEDY, Refusal, concerns_login, error_from, judged
from twinbook.salesforce.errors import REMEDIES, TEMPORARY, from_record, from_response


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


def _judged(error: TemporaryError | PermanentError, made: str | None) -> None:
    if made is None:
        assert isinstance(error, TemporaryError)
        return
    assert isinstance(error, PermanentError)
    assert error.code == made
    assert error.remedy and error.remedy != _FALLBACK_REMEDY
    # Only a refused login speaks of all records at once; a poisonous record never holds up the others.
    assert concerns_login(error) is (made == "INVALID_LOGIN")
