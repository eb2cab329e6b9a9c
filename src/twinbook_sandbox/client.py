"""A client of the control plane, for tests, benchmarks and the demo."""

import ssl
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self

import aiohttp
import orjson

from twinbook_sandbox.core.traffic import Effect


class SandboxRefusedError(Exception):
    """The control plane, or the emulated system behind it, refused a request."""

    def __init__(self, status: int, error: dict[str, Any]) -> None:
        super().__init__(f"{status}: {error}")
        self.status = status
        self.code: str | None = error.get("code")
        self.field: str | None = error.get("field")
        self.problem: str = error.get("problem", "")
        self.remedy: str = error.get("remedy", "")


class SandboxClient:
    """Acts on one emulated system as its user, and as the tester who sets its weather.

    ``url`` is the system's base URL or that of its control plane. Use it as an async context manager.
    Raises :class:`SandboxRefusedError` for answers other than success, ``aiohttp.ClientError`` when
    there is no sandbox.
    """

    def __init__(self, url: str, *, certificate: str | None = None, timeout_s: float = 60.0) -> None:
        self._root = url.rstrip("/").removesuffix("/_sandbox") + "/_sandbox"
        trust = ssl.create_default_context(cafile=certificate) if certificate else True
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trust), timeout=aiohttp.ClientTimeout(total=timeout_s)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def describe(self) -> dict[str, Any]:
        """Addresses and credentials of the whole sandbox."""
        return await self._object("GET", "/describe")

    async def health(self) -> dict[str, Any]:
        """Name, state and time of the system."""
        return await self._object("GET", "/health")

    async def reset(self) -> None:
        """Empty the system."""
        await self._call("POST", "/reset")

    async def seed(self, *, accounts: int, contacts: int, seed: int = 1) -> dict[str, Any]:
        """Empty both systems and fill them with a data set; returns the counts of what was made."""
        return await self._object("POST", "/seed", {"accounts": accounts, "contacts": contacts, "seed": seed})

    async def insert(self, type_: str, fields: dict[str, Any], *, user: str | None = None) -> str:
        """Create a record as a user; returns its id."""
        made = await self._object("POST", f"/records/{type_}", fields, _query(user=user))
        return str(made["id"])

    async def read(self, type_: str, id_: str) -> dict[str, Any]:
        """One record, deleted ones too."""
        return await self._object("GET", f"/records/{type_}/{id_}")

    async def update(self, type_: str, id_: str, fields: dict[str, Any], *, user: str | None = None) -> None:
        """Change fields of a record as a user."""
        await self._call("PATCH", f"/records/{type_}/{id_}", fields, _query(user=user))

    async def delete(self, type_: str, id_: str, *, user: str | None = None) -> None:
        """Delete a record as a user."""
        await self._call("DELETE", f"/records/{type_}/{id_}", query=_query(user=user))

    async def records(
        self, type_: str, where: dict[str, Any] | None = None, *, limit: int = 100, offset: int = 0
    ) -> list[dict[str, Any]]:
        """Records whose fields equal those given."""
        query = _query(**(where or {}), limit=limit, offset=offset)
        page = await self._object("GET", f"/records/{type_}", query=query)
        return list(page["records"])

    async def count(self, type_: str) -> int:
        """How many live records there are of a type."""
        return int((await self._object("GET", f"/records/{type_}", query=_query(limit=1)))["count"])

    async def act(self, action: str, **arguments: Any) -> Any:
        """Carry out a named action."""
        return await self._call("POST", f"/actions/{action}", arguments)

    async def add_fault(
        self,
        effect: Effect | str,
        *,
        times: int | None = 1,
        kind: str | None = None,
        method: str | None = None,
        path: str | None = None,
        **settings: Any,
    ) -> int:
        """Arm a fault; ``settings`` are status, body, headers, code, message and delay_ms."""
        match = {"kind": kind, "method": method, "path": path}
        order = {"effect": str(effect), "times": times, "match": match, **settings}
        return int((await self._object("POST", "/faults", order))["id"])

    async def faults(self) -> list[dict[str, Any]]:
        """All faults, spent ones too, with their hits."""
        return list((await self._object("GET", "/faults"))["faults"])

    async def clear_faults(self) -> None:
        """Disarm all faults; calls that hang are cut."""
        await self._call("DELETE", "/faults")

    async def set_latency(self, default_ms: float = 0, by_kind: dict[str, float] | None = None) -> None:
        """Set the whole latency profile, in milliseconds."""
        await self._call("PUT", "/latency", {"default_ms": default_ms, "by_kind": by_kind or {}})

    async def counters(self) -> dict[str, Any]:
        """Calls by kind and status, calls in flight and their high-water mark."""
        return await self._object("GET", "/counters")

    async def calls(self, kinds: Sequence[str] | None = None) -> int:
        """How many calls of these kinds (all kinds by default) were counted."""
        by_kind = (await self.counters())["kinds"]
        return sum(count["calls"] for kind, count in by_kind.items() if kinds is None or kind in kinds)

    async def reset_counters(self) -> None:
        """Count from zero, and begin the log of calls anew."""
        await self._call("DELETE", "/counters")

    async def call_log(self) -> list[dict[str, Any]]:
        """The latest calls that ended since the counters were reset, in the order of their ends."""
        return list((await self._object("GET", "/calls"))["calls"])

    async def now(self) -> datetime:
        """The sandbox's time."""
        return datetime.fromisoformat((await self._object("GET", "/time"))["now"])

    async def advance(self, seconds: float) -> None:
        """Move time forward."""
        await self._call("POST", "/time", {"advance_s": seconds})

    async def freeze(self, at: datetime | None) -> None:
        """Hold time at an instant; ``None`` lets it run again."""
        await self._call("POST", "/time", {"at": at.isoformat() if at else None})

    async def switches(self) -> dict[str, Any]:
        """All switches as they stand."""
        return await self._object("GET", "/switches")

    async def set_switches(self, **changes: Any) -> None:
        """Set some switches."""
        await self._call("PATCH", "/switches", changes)

    async def _object(
        self, method: str, path: str, body: Any = None, query: dict[str, str] | None = None
    ) -> dict[str, Any]:
        answer = await self._call(method, path, body, query)
        if not isinstance(answer, dict):
            raise TypeError(f"{method} {path} answered {type(answer).__name__}, not an object")
        return answer

    async def _call(
        self, method: str, path: str, body: Any = None, query: dict[str, str] | None = None
    ) -> Any:
        data = None if body is None else orjson.dumps(body)
        async with self._session.request(method, self._root + path, data=data, params=query) as response:
            text = await response.read()
            if response.ok:
                return orjson.loads(text) if text else None
            raise SandboxRefusedError(response.status, _error_in(text))


def _query(**given: Any) -> dict[str, str]:
    words: dict[Any, str] = {True: "true", False: "false"}
    return {
        name: words[value] if isinstance(value, bool) else str(value)
        for name, value in given.items()
        if value is not None
    }


def _error_in(text: bytes) -> dict[str, Any]:
    try:
        error = orjson.loads(text)["error"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return {"problem": text.decode(errors="replace")[:500]}
    return error if isinstance(error, dict) else {"problem": str(error)}
