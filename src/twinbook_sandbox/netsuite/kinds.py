"""Kinds of call, by which the control plane counts, delays and breaks them."""

from twinbook_sandbox.netsuite.oauth import TOKEN_PATH
from twinbook_sandbox.netsuite.representation import RECORD_PATH
from twinbook_sandbox.netsuite.schema import RECORD_TYPES

RESTLET_PATH = "/app/site/hosting/restlet.nl"
SUITEQL_PATH = "/services/rest/query/v1/suiteql"
_SERVICES = ("governanceLimits", "serverTime")
_BY_PATH = {TOKEN_PATH: "token", SUITEQL_PATH: "suiteql"}
_BY_PATH |= {f"/services/rest/system/v1/{name}": "system" for name in _SERVICES}


def classify(method: str, path: str, _query: str) -> str:
    """``token``, ``suiteql``, ``contact.list``, ``contact.get``, ``contact.patch``, ``attach``, ``metadata`` ...

    Collections are ``list`` and ``post``, single records ``get``, ``patch``, ``put`` and ``delete``; sublists
    count as ``get`` of their record. What is no call of the account is ``other``.
    """
    if path in _BY_PATH:
        return _BY_PATH[path]
    parts = path.removeprefix(f"{RECORD_PATH}/").rstrip("/").split("/")
    if not path.startswith(f"{RECORD_PATH}/"):
        return "restlet" if path == RESTLET_PATH else "other"
    if parts[0] == "metadata-catalog":
        return "metadata"
    for relation in ("attach", "detach"):
        if f"!{relation}" in parts:
            return relation
    if parts[0] not in RECORD_TYPES:
        return "other"
    return f"{parts[0]}.{'list' if method == 'GET' and len(parts) == 1 else method.lower()}"
