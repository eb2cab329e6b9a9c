"""Refusals of the account as scripts see them: core codes where REST has only its own (netsuite.md 3.2, 3.3)."""

from twinbook_sandbox.netsuite.errors import ACCESSING, NetSuiteError
from twinbook_sandbox.netsuite.records import HAS_DEPENDENTS
from twinbook_sandbox.netsuite.rules import (
    CUSTOMER_ID_TAKEN,
    ENTITY_EXISTS,
    LOCKED,
    NAME_TAKEN,
    SUBSIDIARY_MISMATCH,
)
from twinbook_sandbox.netsuite.suitescript.engine import ScriptError

_BY_TEXT = {
    NAME_TAKEN: "CONTACT_ALREADY_EXISTS",
    ENTITY_EXISTS: "DUP_ENTITY",
    CUSTOMER_ID_TAKEN: "UNIQUE_CUST_ID_REQD",
    LOCKED: "RCRD_LOCKED_BY_WF",
    SUBSIDIARY_MISMATCH: "RCRD_SUB_MISMATCH_WITH_CLASS",
    HAS_DEPENDENTS: "THIS_RECORD_CANNOT_BE_DELETED_BECAUSE_IT_HAS_DEPENDENT_RECORDS",
}
"""When DUP_ENTITY is raised is unverified (netsuite.md 3.2)."""
_BY_CODE = {
    "NONEXISTENT_ID": ("RCRD_DSNT_EXIST", "That record does not exist."),
    "INVALID_CONTENT": ("INVALID_FLD_VALUE", ""),
}


def as_script_error(error: NetSuiteError) -> ScriptError:
    """The error that a script meets."""
    text = error.detail.removeprefix(ACCESSING)
    name, usual = _BY_CODE.get(error.code, (error.code, ""))
    return ScriptError(_BY_TEXT.get(text, name), usual or text)


def changed_meanwhile() -> ScriptError:
    """Somebody saved the record since it was loaded."""
    return ScriptError("RCRD_HAS_BEEN_CHANGED", "Record has been changed")
