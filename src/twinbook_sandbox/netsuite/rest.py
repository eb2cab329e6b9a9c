"""The HTTP face of the emulated account: token endpoint, record service, SuiteQL, metadata, small services."""

import logging
import secrets
from collections.abc import Callable
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from twinbook_sandbox.netsuite import metadata
from twinbook_sandbox.netsuite.calls import Call, Endpoint, collection, json_response, not_allowed
from twinbook_sandbox.netsuite.credentials import ACCOUNT_ID
from twinbook_sandbox.netsuite.errors import (
    NetSuiteError,
    error_response,
    invalid_body,
    invalid_header,
    invalid_parameter,
    invalid_url,
    no_such_record,
    no_such_type,
    not_permitted,
)
from twinbook_sandbox.netsuite.filters import EVERYTHING, FilterParser
from twinbook_sandbox.netsuite.kinds import RESTLET_PATH
from twinbook_sandbox.netsuite.login import Gatekeeper
from twinbook_sandbox.netsuite.oauth import TOKEN_PATH, TokenRefusal, TokenService
from twinbook_sandbox.netsuite.permissions import Permissions
from twinbook_sandbox.netsuite.records import Records, Written
from twinbook_sandbox.netsuite.relations import Relations, refuse_other_types
from twinbook_sandbox.netsuite.representation import RECORD_PATH, self_link
from twinbook_sandbox.netsuite.schema import RecordType
from twinbook_sandbox.netsuite.suiteql import SuiteQL
from twinbook_sandbox.netsuite.suiteql_tables import INTEGRATION_USER
from twinbook_sandbox.netsuite.suitescript.scripts import Scripts

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
COLLECTION_METHODS = ("GET", "POST", "OPTIONS")
RECORD_METHODS = ("GET", "PATCH", "PUT", "DELETE", "OPTIONS")
READING = ("GET", "OPTIONS")
POSTING = ("POST", "OPTIONS")
RELATION = "{base}/{base_key}/!%s/{attached}/{attached_key}"

Handler = Callable[[Call], Response]
log = logging.getLogger(__name__)


class RestServices:
    """Routes and handlers. ``base_url``: how the account is reached from outside, or a function of the call."""

    def __init__(
        self,
        records: Records,
        suiteql: SuiteQL,
        tokens: TokenService,
        gatekeeper: Gatekeeper,
        permissions: Permissions,
        scripts: Scripts,
        base_url: Callable[[], str],
    ) -> None:
        self._records = records
        self._suiteql = suiteql
        self._tokens = tokens
        self._gatekeeper = gatekeeper
        self._permissions = permissions
        self._scripts = scripts
        self._base_url = base_url
        self._relations = Relations(records)
        self._filters = FilterParser()

    def routes(self) -> list[BaseRoute]:
        """All routes; what is under ``/services/rest`` and none of them is answered ``INVALID_URL``."""
        table: list[tuple[str, Handler]] = [
            (f"{RECORD_PATH}/metadata-catalog", self.metadata_catalog),
            (f"{RECORD_PATH}/metadata-catalog/{{type}}", self.metadata_of),
            (f"{RECORD_PATH}/{RELATION % 'attach'}", self.attach),
            (f"{RECORD_PATH}/{RELATION % 'detach'}", self.detach),
            (f"{RECORD_PATH}/{{type}}", self.record_collection),
            (f"{RECORD_PATH}/{{type}}/", self.record_collection),  # seen in the live tests of other clients
            (f"{RECORD_PATH}/{{type}}/{{key}}", self.record),
            (f"{RECORD_PATH}/{{type}}/{{key}}/addressBook", self.address_book),
            (f"{RECORD_PATH}/{{type}}/{{key}}/addressBook/{{line}}", self.address_line),
            (f"{RECORD_PATH}/{{type}}/{{key}}/addressBook/{{line}}/addressBookAddress", self.address),
            (f"{RECORD_PATH}/{{type}}/{{key}}/{{field}}", self.multiselect),
            ("/services/rest/query/v1/suiteql", self.query),
            ("/services/rest/system/v1/governanceLimits", self.governance_limits),
            ("/services/rest/system/v1/serverTime", self.server_time),
            ("/services/rest/{rest:path}", self.nowhere),
        ]
        routes: list[BaseRoute] = [
            Route(path, self._guarded(handler), methods=METHODS) for path, handler in table
        ]
        return [
            Route(TOKEN_PATH, self.token, methods=["POST"]),
            Route(RESTLET_PATH, self._scripts.restlet, methods=["GET", "POST", "PUT", "DELETE"]),
            *routes,
        ]

    def _guarded(self, handler: Handler) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            try:
                body = await request.body()
                actor = self._gatekeeper.enter(request)
                answer = handler(Call(request, body, actor, self._public_url(request)))
                await self._scripts.settled()
                return answer
            except NetSuiteError as error:
                return error_response(error)
            except Exception:
                number = secrets.token_hex(12)
                log.exception("unexpected error %s", number)
                text = f"An unexpected error occurred. Error ID: {number}"
                return error_response(NetSuiteError(500, "UNEXPECTED_ERROR", text))

        return endpoint

    def _public_url(self, request: Request) -> str:
        return self._base_url() or str(request.base_url).rstrip("/")

    # --- tokens

    async def token(self, request: Request) -> Response:
        """OAuth 2.0 token endpoint."""
        canonical = f"https://{ACCOUNT_ID.lower().replace('_', '-')}.suitetalk.api.netsuite.com{TOKEN_PATH}"
        here = {self._public_url(request) + TOKEN_PATH, str(request.url).partition("?")[0]}
        form = parse_qsl((await request.body()).decode("latin-1"), keep_blank_values=True)
        try:
            return JSONResponse(self._tokens.issue(form, [*sorted(here), canonical]))
        except TokenRefusal as refusal:
            self._gatekeeper.note(refusal.reason)
            realm = f'Basic realm="{ACCOUNT_ID.partition("_")[0]}"'
            headers = {"WWW-Authenticate": realm} if refusal.status == 401 else None
            return JSONResponse({"error": refusal.error}, refusal.status, headers)

    # --- records

    def record_collection(self, call: Call) -> Response:
        """``/contact``: list or create."""
        kind = self._records.kind(call.path("type"))
        match call.method:
            case "OPTIONS":
                return _options(COLLECTION_METHODS)
            case "GET":
                self._permissions.require(kind, "VIEW")
                return self._list(call, kind)
            case "POST":
                self._permissions.require(kind, "CREATE")
                written = self._records.create(kind, call.json(), call.write_options(), call.actor)
                return self._written(call, kind, written)
        raise not_allowed(COLLECTION_METHODS)

    def record(self, call: Call) -> Response:
        """``/contact/4711`` or ``/contact/eid:SFC_A``: read, change, upsert, delete."""
        kind, key = self._records.kind(call.path("type")), _key(call.path("key"))
        match call.method:
            case "OPTIONS":
                return _options(RECORD_METHODS)
            case "GET":
                return self._read(call, kind, key)
            case "PATCH":
                self._permissions.require(kind, "EDIT")
                written = self._records.update(kind, key, call.json(), call.write_options(), call.actor)
                return self._written(call, kind, written)
            case "PUT":
                self._permissions.require(kind, "EDIT")
                written = self._records.upsert(kind, key, call.json(), call.write_options(), call.actor)
                return self._written(call, kind, written)
            case "DELETE":
                self._permissions.require(kind, "FULL")
                self._records.delete(kind, key, call.actor)
                return Response(status_code=204)
        raise not_allowed(RECORD_METHODS)

    def _read(self, call: Call, kind: RecordType, key: str) -> Response:
        # A single record is loaded as if for editing, so a role that may only view it fails (netsuite.md 1.4).
        self._permissions.require(kind, "EDIT" if kind.table == "entity" else "VIEW")
        row = self._records.require(kind, key, call.actor)
        body = self._records.presenter.record(
            kind,
            row,
            call.base_url,
            only=call.names("fields"),
            expand=call.flag("expandSubResources"),
            simple_enums=call.flag("simpleEnumFormat"),
        )
        return json_response(body, "singular")

    def _list(self, call: Call, kind: RecordType) -> Response:
        limit, offset = call.paging()
        text = call.request.query_params.get("q", "")
        self._records.storage.follow_zone()
        date_format = self._records.switches.suiteql_date_format
        condition = self._filters.parse(text, kind, date_format) if text.strip() else EVERYTHING
        private = (
            f"AND (isprivate IS NOT 'T' OR owner = {INTEGRATION_USER})" if kind.table == "entity" else ""
        )
        where = f"FROM {kind.table} WHERE type = ? {private} AND {condition.sql}"
        values = (kind.name, *condition.values)
        storage = self._records.storage
        total = int(storage.value(f"SELECT COUNT(*) {where}", values))
        rows = storage.rows(f"SELECT id {where} ORDER BY id LIMIT ? OFFSET ?", (*values, limit, offset))
        url = f"{call.base_url}{RECORD_PATH}/{kind.name}"
        items = [{**self_link(f"{url}/{row['id']}"), "id": str(row["id"])} for row in rows]
        return json_response(collection(call, items, total, limit=limit, offset=offset), "collection")

    def _written(self, call: Call, kind: RecordType, written: Written) -> Response:
        headers = {"Location": f"{call.base_url}{RECORD_PATH}/{kind.name}/{written.id}"}
        if written.warnings:
            names = ", ".join(ascii(name) for name in written.warnings)
            headers[self._records.switches.property_warning_header] = (
                f"Unknown properties were ignored: {names}"
            )
        return Response(status_code=204, headers=headers)

    # --- sublists

    def address_book(self, call: Call) -> Response:
        """The lines of an address book, as links."""
        row, url = self._with_addresses(call)
        lines = self._records.addresses.lines(row)
        items = [self_link(f"{url}/addressBook/{line['internalid']}") for line in lines]
        body = {**self_link(f"{url}/addressBook"), "items": items, "totalResults": len(items)}
        return json_response(body, "collection")

    def address_line(self, call: Call) -> Response:
        """One line."""
        return self._line(call, whole=True)

    def address(self, call: Call) -> Response:
        """The address behind a line."""
        return self._line(call, whole=False)

    def _line(self, call: Call, *, whole: bool) -> Response:
        entity, url = self._with_addresses(call)
        line = self._records.addresses.line(entity, call.path("line"))
        if line is None:
            raise no_such_record(call.path("line"))
        expand = not whole or call.flag("expandSubResources")
        body = self._records.presenter.address_line(line, url, expand=expand)
        return json_response(body if whole else body["addressBookAddress"], "singular")

    def multiselect(self, call: Call) -> Response:
        """The choices of a multiselect field."""
        kind = self._readable(call)
        name = call.path("field")
        spec = kind.fields.get(name)
        if spec is None or spec.kind != "multiselect":
            raise invalid_url(str(call.request.url.path))
        row = self._records.require(kind, _key(call.path("key")), call.actor)
        body = self._records.presenter.record(kind, row, call.base_url, only=[name], expand=True)[name]
        return json_response(body, "collection")

    def _with_addresses(self, call: Call) -> tuple[int, str]:
        kind = self._readable(call)
        if not kind.has_addresses:
            raise invalid_url(str(call.request.url.path))
        row = self._records.require(kind, _key(call.path("key")), call.actor)
        return int(row["id"]), f"{call.base_url}{RECORD_PATH}/{kind.name}/{row['id']}"

    def _readable(self, call: Call) -> RecordType:
        _only(call, READING)
        kind = self._records.kind(call.path("type"))
        self._permissions.require(kind, "EDIT")
        return kind

    # --- attach and detach

    def attach(self, call: Call) -> Response:
        """``POST /customer/660/!attach/contact/4711``"""
        customer, contact = self._relation_ends(call)
        self._relations.attach(customer, contact, call.json(default={}), call.actor)
        return Response(status_code=204)

    def detach(self, call: Call) -> Response:
        """``POST /customer/660/!detach/contact/4711``"""
        customer, contact = self._relation_ends(call)
        self._relations.detach(customer, contact, call.actor)
        return Response(status_code=204)

    def _relation_ends(self, call: Call) -> tuple[str, str]:
        if self._records.switches.release == "2025.2":
            raise invalid_url(str(call.request.url.path))
        _only(call, POSTING)
        for name in ("base", "attached"):
            if self._records.schema.get(call.path(name)) is None:
                raise no_such_type(call.path(name))
        refuse_other_types(call.path("base"), call.path("attached"))
        self._permissions.require(self._records.kind("contact"), "EDIT")
        return _key(call.path("base_key")), _key(call.path("attached_key"))

    # --- SuiteQL

    def query(self, call: Call) -> Response:
        """``POST /query/v1/suiteql``"""
        _only(call, POSTING)
        if "transient" not in call.request.headers.get("prefer", "").lower():
            raise invalid_header(
                "Prefer", "Missing required header. Provide the Prefer header with the value transient."
            )
        if not self._permissions.allows("REPO_ANALYTICS", "VIEW"):
            raise not_permitted("Reports -> SuiteAnalytics Workbook")
        limit, offset = call.paging()
        body = call.json()
        text, params = body.get("q"), body.get("params", [])
        strange = body.keys() - {"q", "params"} or (
            {"params"} & body.keys() if not self._accepts_params() else set()
        )
        if strange:
            raise invalid_body(f"Unknown member {min(strange)}.", min(strange))
        if not isinstance(text, str) or not text.strip():
            raise invalid_parameter("q", "Invalid search query. The query is missing.")
        if not isinstance(params, list):
            raise invalid_body("params must be a list.", "params")
        page = self._suiteql.page(text, params, limit, offset)
        return json_response(
            collection(call, page.items, page.total, limit=limit, offset=offset), "collection"
        )

    def _accepts_params(self) -> bool:
        return self._records.switches.suiteql_params

    # --- metadata and small services

    def metadata_catalog(self, call: Call) -> Response:
        """All record types, or an OpenAPI document of chosen ones."""
        _only(call, READING)
        chosen = call.names("select")
        kinds = [self._records.kind(name) for name in chosen] or list(self._records.schema.types.values())
        if "swagger+json" in call.request.headers.get("accept", ""):
            document = metadata.openapi(kinds, call.base_url)
            return Response(orjson.dumps(document), media_type="application/swagger+json")
        return json_response(metadata.catalogue(kinds, call.base_url), "collection")

    def metadata_of(self, call: Call) -> Response:
        """The JSON Schema (or OpenAPI document) of one record type."""
        _only(call, READING)
        kind = self._records.kind(call.path("type"))
        accept = call.request.headers.get("accept", "")
        if "swagger+json" in accept:
            document = metadata.openapi([kind], call.base_url)
            return Response(orjson.dumps(document), media_type="application/swagger+json")
        if "schema+json" in accept:
            return Response(orjson.dumps(metadata.json_schema(kind)), media_type="application/schema+json")
        return json_response(metadata.catalogue([kind], call.base_url)["items"][0], "singular")

    def governance_limits(self, call: Call) -> Response:
        """The concurrency limits of the account."""
        _only(call, READING)
        limit = self._records.switches.concurrency_limit
        body = {
            "accountConcurrencyLimit": limit,
            "accountUnallocatedConcurrencyLimit": limit,
            "integrationLimitType": "accountLimit",
        }
        return json_response(body, "singular")

    def server_time(self, call: Call) -> Response:
        """The time in UTC (shape of the body unverified)."""
        _only(call, READING)
        return json_response({"serverTime": self._records.calendar.now()}, "singular")

    def nowhere(self, call: Call) -> Response:
        """Any other path. OPTIONS is answered everywhere: clients use it to try their login (netsuite.md 2.1, 9)."""
        if call.method == "OPTIONS":
            return _options(tuple(METHODS))
        raise invalid_url(str(call.request.url.path))


def _only(call: Call, allowed: tuple[str, ...]) -> None:
    if call.method not in allowed or call.method == "OPTIONS":
        raise not_allowed(allowed)


def _options(allowed: tuple[str, ...]) -> Response:
    return Response(status_code=204, headers={"Allow": ", ".join(allowed)})


def _key(key: str) -> str:
    """A ``|`` in an external id breaks the URL (netsuite.md 2.3)."""
    if "|" in key or not key:
        raise invalid_url(key)
    return key
