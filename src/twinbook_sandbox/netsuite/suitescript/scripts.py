"""Customization projects deployed in the emulated account: their RESTlets and what runs after a save."""

import asyncio
import contextlib
import logging
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from twinbook_sandbox.core.clock import Clock
from twinbook_sandbox.netsuite.errors import NetSuiteError, user_error
from twinbook_sandbox.netsuite.login import Gatekeeper
from twinbook_sandbox.netsuite.permissions import Permissions
from twinbook_sandbox.netsuite.records import Change, Records
from twinbook_sandbox.netsuite.rules import Actor
from twinbook_sandbox.netsuite.suiteql import SuiteQL
from twinbook_sandbox.netsuite.suitescript.engine import Engine, ScriptError
from twinbook_sandbox.netsuite.suitescript.governance import Limits
from twinbook_sandbox.netsuite.suitescript.hosting import Cabinet, ScriptHost
from twinbook_sandbox.netsuite.suitescript.project import Deployment, Project, ProjectError, read_project

RESTLET_BODY = 10 * 1024 * 1024
"""Bytes a RESTlet takes in, and gives back (netsuite.md 5.2)."""
_EVENT_UNITS, _SUBSCRIBER_SECONDS, _EVENT_SECONDS = 1000, 3600.0, 300.0
_SUBSCRIBED = {"create": "CREATED", "edit": "UPDATED", "xedit": "UPDATED", "delete": "DELETED"}
_PENDING = 10_000
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RestletRefusal(Exception):
    """An error answer on the RESTlet host (netsuite.md 5.3)."""

    status: int
    code: str
    message: str

    def response(self) -> Response:
        """The answer."""
        return restlet_error(self.status, self.code, self.message)


def restlet_error(status: int, code: str, message: str) -> Response:
    """An error answer in the shape of RESTlets."""
    return JSONResponse({"error": {"code": code, "message": message}}, status)


class Scripts:
    """The file cabinet, the deployments, and the runs of scripts of one account."""

    def __init__(
        self,
        records: Records,
        suiteql: SuiteQL,
        permissions: Permissions,
        gatekeeper: Gatekeeper,
        clock: Clock,
    ) -> None:
        self._records = records
        self._suiteql = suiteql
        self._permissions = permissions
        self._gatekeeper = gatekeeper
        self._engine = Engine()
        self.cabinet = Cabinet(clock)
        self._files: dict[str, str] = {}
        self._deployments: list[Deployment] = []
        self._pending: deque[Change] = deque(maxlen=_PENDING)
        self._running: asyncio.Task[None] | None = None
        records.watch(self._note)

    @property
    def calls(self) -> Counter[str]:
        """How often scripts called each operation of the N/* modules, such as ``record.save``."""
        return self._engine.calls

    async def stop(self) -> None:
        """End what runs."""
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running
        await self._engine.stop()

    # --- deploying

    def deploy(self, folder: Path) -> Project:
        """Bring a project into the account, as `suitecloud project:deploy` does."""
        try:
            project = read_project(folder)
        except ProjectError as problem:
            raise user_error(str(problem)) from problem
        known = {one.script_id for one in self._records.storage.custom_fields()}
        with self._records.storage.transaction():
            for field in project.fields:
                if field.script_id not in known:
                    self._records.storage.add_custom_field(field)
        self._files |= project.files
        mine = {(one.script_id, one.id) for one in project.deployments}
        others = [one for one in self._deployments if (one.script_id, one.id) not in mine]
        self._deployments = [*others, *project.deployments]
        return project

    def switch(self, script_id: str, *, active: bool) -> None:
        """Tick or untick Deployed on all deployments of a script."""
        found = [one for one in self._deployments if one.script_id == script_id]
        if not found:
            raise user_error(f"No script {script_id} is deployed.")
        self._deployments = [
            replace(one, active=active) if one in found else one for one in self._deployments
        ]

    def set_parameter(self, script_id: str, name: str, value: str) -> None:
        """Set a script parameter of all deployments of a script, as on their pages."""
        found = [one for one in self._deployments if one.script_id == script_id and name in one.parameters]
        if not found:
            raise user_error(f"No deployment of {script_id} has the parameter {name}.")
        self._deployments = [
            replace(one, parameters={**one.parameters, name: value}) if one in found else one
            for one in self._deployments
        ]

    # --- RESTlets

    async def restlet(self, request: Request) -> Response:
        """``/app/site/hosting/restlet.nl?script=…&deploy=…``"""
        try:
            return await self._restlet(request)
        except RestletRefusal as refusal:
            return refusal.response()

    async def _restlet(self, request: Request) -> Response:
        body = await request.body()
        try:
            actor = self._gatekeeper.enter(request, scope="restlets")
        except NetSuiteError as error:
            code = "INVALID_LOGIN_ATTEMPT" if error.status == 401 else error.code
            refused = restlet_error(error.status, code, "Invalid login attempt.")
            refused.headers.update(error.headers)
            return refused
        query = request.query_params
        deployment = self._deployed(query.get("script", ""), query.get("deploy", ""))
        argument = _argument(request, body)
        host = self._host(deployment, replace(actor, context="RESTLET"))
        limits = Limits(self._records.switches.restlet_units, self._records.switches.restlet_seconds)
        enter = ["enter", deployment.file, request.method.lower(), argument]
        try:
            result = await self._engine.run(self._files, enter, host, limits)
        except ScriptError as error:
            raise _refused(error) from error
        answer = orjson.dumps(result)
        if len(answer) > RESTLET_BODY:
            raise RestletRefusal(400, "INVALID_RETURN_DATA_FORMAT", "The answer of the RESTlet is too large.")
        return Response(answer, media_type="application/json; charset=utf-8")

    def _deployed(self, script: str, deploy: str) -> Deployment:
        for one in self._deployments:
            if one.kind == "restlet" and one.active and (one.script_id, one.id) == (script, deploy):
                return one
        text = "That RESTlet is invalid, disabled, or no longer exists."
        raise RestletRefusal(404, "SSS_INVALID_SCRIPTLET_ID", text)

    def _host(self, deployment: Deployment, actor: Actor) -> ScriptHost:
        return ScriptHost(
            self._records, self._suiteql, self._permissions, self.cabinet, deployment, actor, self.settled
        )

    # --- after a save

    def _note(self, change: Change) -> None:
        """A save or delete happened. Its scripts run in the next moment: whoever answers the saver awaits them."""
        if not any(one.record_type == change.kind.name and one.active for one in self._deployments):
            return
        self._pending.append(change)
        with contextlib.suppress(RuntimeError):
            loop = asyncio.get_running_loop()
            if self._running is None or self._running.done():
                self._running = loop.create_task(self._run_pending())

    async def settled(self) -> None:
        """Until the scripts of everything that was saved have run, but for subscribers, which nobody waits for."""
        running = self._running
        if running is not None and running is not asyncio.current_task():
            await asyncio.shield(running)

    async def _run_pending(self) -> None:
        while self._pending:
            change = self._pending.popleft()
            for one in self._concerned(change):
                await self._run_event(one, change)

    def _concerned(self, change: Change) -> Iterable[Deployment]:
        new_enough = self._records.switches.release == "2026.2"
        for one in self._deployments:
            if one.record_type != change.kind.name or not one.active:
                continue
            if one.kind == "usereventscript" and change.actor.context in one.contexts:
                yield one
            if one.kind == "eventsubscriber" and new_enough and _SUBSCRIBED[change.type] in one.events:
                yield one

    async def _run_event(self, deployment: Deployment, change: Change) -> None:
        host = self._host(self._informed(deployment), change.actor)
        if deployment.kind == "usereventscript":
            argument = self._user_event(host, change)
            enter = ["afterSubmit", deployment.file, orjson.dumps(argument).decode()]
            limits = Limits(_EVENT_UNITS, _EVENT_SECONDS)
        else:
            event = {"context": {"recordType": change.kind.name.upper()}, "payload": {"recordId": change.id}}
            enter = ["enter", deployment.file, "handle", orjson.dumps(event).decode()]
            limits = Limits(_EVENT_UNITS, _SUBSCRIBER_SECONDS)
        try:
            await self._engine.run(self._files, enter, host, limits)
        except ScriptError as error:
            # An error after the save undoes nothing; people on a page would see it.
            note = {
                "script": deployment.script_id,
                "level": "error",
                "title": error.name,
                "details": error.message,
            }
            self.cabinet.log.append(note)
            log.info("%s failed after a save: %s", deployment.script_id, error.name)

    def _informed(self, deployment: Deployment) -> Deployment:
        """Subscribers have no parameters of their own; that they see those of other scripts is unverified."""
        if deployment.kind != "eventsubscriber":
            return deployment
        shared = {name: value for one in self._deployments for name, value in one.parameters.items()}
        return replace(deployment, parameters=shared)

    def _user_event(self, host: ScriptHost, change: Change) -> dict[str, Any]:
        row = self._records.storage.get(change.kind, change.id)
        shown = host.shown(change.kind, row) if row is not None else None
        bare: dict[str, Any] = {"id": str(change.id), "type": change.kind.name, "values": {}, "types": {}}
        deleted = change.type == "delete"
        return {"type": change.type, "newRecord": shown or bare, "oldRecord": bare if deleted else shown}


def _argument(request: Request, body: bytes) -> str:
    """What the entry point gets: query parameters for GET and DELETE, else the body as JSON or text."""
    if request.method in ("GET", "DELETE"):
        parameters = {
            name: value for name, value in request.query_params.items() if name not in ("script", "deploy")
        }
        return orjson.dumps(parameters).decode()
    if len(body) > RESTLET_BODY:
        raise RestletRefusal(413, "INVALID_REQUEST", "The request of a RESTlet may hold 10 MB.")
    media_type = request.headers.get("content-type", "").partition(";")[0].strip()
    try:
        if media_type == "application/json":
            return orjson.dumps(orjson.loads(body)).decode()
        if media_type == "text/plain":
            return orjson.dumps(body.decode()).decode()
    except ValueError as problem:
        raise RestletRefusal(400, "INVALID_REQUEST", "The body is no valid JSON or text.") from problem
    raise RestletRefusal(415, "UNSUPPORTED_MEDIA_TYPE", "Use application/json or text/plain.")


def _refused(error: ScriptError) -> RestletRefusal:
    if error.thrown:
        return RestletRefusal(400, error.name, error.message)
    told = {"type": "error.SuiteScriptError", "name": error.name, "message": error.message, "stack": []}
    return RestletRefusal(400, "UNEXPECTED_ERROR", orjson.dumps(told).decode())
