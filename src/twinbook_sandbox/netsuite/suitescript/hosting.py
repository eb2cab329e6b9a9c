"""What the N/* modules of a running script reach: the account's records and queries, the network, keys, a cache."""

import base64
import hashlib
import hmac
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.netsuite.credentials import ACCOUNT_ID
from twinbook_sandbox.netsuite.errors import NetSuiteError
from twinbook_sandbox.netsuite.permissions import Permissions
from twinbook_sandbox.netsuite.records import Records
from twinbook_sandbox.netsuite.rules import Actor
from twinbook_sandbox.netsuite.schema import RecordType
from twinbook_sandbox.netsuite.storage import Row
from twinbook_sandbox.netsuite.suiteql import SuiteQL
from twinbook_sandbox.netsuite.suiteql_tables import INTEGRATION_USER
from twinbook_sandbox.netsuite.suitescript.engine import ScriptError
from twinbook_sandbox.netsuite.suitescript.faults import as_script_error
from twinbook_sandbox.netsuite.suitescript.governance import Meter
from twinbook_sandbox.netsuite.suitescript.project import Deployment
from twinbook_sandbox.netsuite.suitescript.record_module import RecordModule

INTEGRATION_ROLE = "customrole_twinbook"
"""Script id of the role that the integration's user has in this account."""
MAX_QUERY_ROWS = 5000
MIN_TTL_S = 300
CONNECT_S, TOTAL_S = 5.0, 45.0
"""Limits of N/https (netsuite.md 5.4)."""
LOG_LENGTH = 1000
_HASHES = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256, "SHA512": hashlib.sha512}


@dataclass(slots=True)
class Cabinet:
    """What outlives a run of a script: logs, the cache, secrets of the account."""

    clock: Clock
    log: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=LOG_LENGTH))
    secrets: dict[str, str] = field(default_factory=dict)
    cache: dict[tuple[str, str], tuple[str, float]] = field(default_factory=dict)


Settle = Callable[[], Awaitable[None]]
"""Runs the user events of what was just saved."""


class ScriptHost:
    """Answers one run of a script."""

    def __init__(
        self,
        records: Records,
        suiteql: SuiteQL,
        permissions: Permissions,
        cabinet: Cabinet,
        deployment: Deployment,
        actor: Actor,
        settle: Settle,
    ) -> None:
        self._suiteql = suiteql
        self._records = RecordModule(records, permissions, actor)
        self._cabinet = cabinet
        self._deployment = deployment
        self._actor = actor
        self._settle = settle

    async def answer(self, operation: str, argument: Any, meter: Meter) -> Any:
        """The JSON value of an operation; :class:`ScriptError` is thrown inside the script."""
        module, _, name = operation.partition(".")
        try:
            if module == "record":
                value = self._records.carry_out(name, argument)
                await self._settle()
                return value
            match operation:
                case "runtime.usage":
                    return meter.remaining
                case "https.get" | "https.post":
                    return await _https(name.upper(), argument)
                case "query.run":
                    return self._rows(argument)
                case "search.lookup":
                    return self._looked_up(argument)
                case _:
                    return self._small(operation, argument)
        except NetSuiteError as error:
            raise as_script_error(error) from error
        except (UnicodeError, KeyError, TypeError, ValueError, AttributeError) as problem:
            raise ScriptError("SSS_INVALID_ARGUMENT", f"{operation}: {type(problem).__name__}") from problem

    def shown(self, kind: RecordType, row: Row) -> dict[str, Any]:
        """A record as this script gets it."""
        return self._records.shown(kind, row)

    def _rows(self, argument: Mapping[str, Any]) -> list[dict[str, Any]]:
        page = self._suiteql.page(str(argument["query"]), argument.get("params") or [], MAX_QUERY_ROWS, 0)
        return [{name: value for name, value in item.items() if name != "links"} for item in page.items]

    def _looked_up(self, argument: Mapping[str, Any]) -> dict[str, Any]:
        record = self._records.load({"type": argument["type"], "id": argument["id"]})
        return {name: record["values"].get(name) for name in argument["columns"]}

    def _small(self, operation: str, argument: Mapping[str, Any]) -> Any:
        cabinet, deployment = self._cabinet, self._deployment
        match operation:
            case "runtime.context":
                return self._actor.context
            case "runtime.account":
                return ACCOUNT_ID
            case "runtime.user":
                ours = self._actor.user_id == INTEGRATION_USER
                return {"id": self._actor.user_id, "roleId": INTEGRATION_ROLE if ours else "administrator"}
            case "runtime.script":
                return {"id": deployment.script_id, "deploymentId": deployment.id}
            case "runtime.parameter":
                return deployment.parameters.get(str(argument["name"])) or None
            case "random.uuid":
                return str(uuid.uuid4())
            case "log":
                cabinet.log.append({"script": deployment.script_id, **argument})
                return None
            case "crypto.hmac":
                return self._hmac(argument)
            case "cache.get" | "cache.put" | "cache.remove":
                return self._cache(operation, argument)
        raise ScriptError("MODULE_DOES_NOT_EXIST", f"The sandbox does not know {operation}.")

    def _hmac(self, argument: Mapping[str, Any]) -> str:
        secret = self._cabinet.secrets.get(str(argument.get("secret")))
        if secret is None:
            raise ScriptError("INVALID_SECRET_ID", f"There is no API secret {argument.get('secret')}.")
        digest = hmac.new(
            secret.encode(), str(argument["text"]).encode(), _HASHES[argument["algorithm"]]
        ).digest()
        # In capitals, as some versions answer: scripts are not to depend on it.
        encoded = argument.get("outputEncoding") == "BASE_64"
        return base64.b64encode(digest).decode() if encoded else digest.hex().upper()

    def _cache(self, operation: str, argument: Mapping[str, Any]) -> str | None:
        cache, now = self._cabinet.cache, self._cabinet.clock.now().timestamp()
        key = (str(argument["cache"]), str(argument["key"]))
        if operation == "cache.put":
            ttl = float(argument.get("ttl") or MIN_TTL_S)
            if ttl < MIN_TTL_S:
                raise ScriptError("SSS_INVALID_ARGUMENT", f"ttl must be at least {MIN_TTL_S} seconds.")
            cache[key] = (str(argument["value"]), now + ttl)
        elif operation == "cache.remove":
            cache.pop(key, None)
        elif key in cache and cache[key][1] > now:
            return cache[key][0]
        return None


async def _https(method: str, argument: Mapping[str, Any]) -> dict[str, Any]:
    """A call to the outside. Real accounts refuse plain http and names without a public certificate."""
    timeout = aiohttp.ClientTimeout(total=TOTAL_S, connect=CONNECT_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session:
            headers, body = argument.get("headers") or {}, argument.get("body")
            async with session.request(method, str(argument["url"]), headers=headers, data=body) as answer:
                told = {str(name): value for name, value in answer.headers.items()}
                return {"code": answer.status, "body": await answer.text(), "headers": told}
    except TimeoutError:
        raise ScriptError("SSS_REQUEST_TIME_EXCEEDED", "The host took too long to answer.") from None
    except aiohttp.ClientError as problem:
        raise ScriptError(
            "SSS_REQUEST_FAILED", f"The host could not be reached: {type(problem).__name__}"
        ) from None
