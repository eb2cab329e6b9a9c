"""Finding the record that a page or a resource is about, and looking at it: live where possible."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.routing import APIRoute

from twinbook.domain.ids import to_18
from twinbook.domain.mapping import FieldMap
from twinbook.domain.records import Entity, Key, Side
from twinbook.engine.care import controls
from twinbook.engine.insight.looking import Looker
from twinbook.netsuite.config import NetSuiteConfig
from twinbook.settings import account_policy, contact_policy
from twinbook.web.asking import Silence, ask
from twinbook.web.dashboard import Dashboard
from twinbook.web.problems import NotFound
from twinbook.web.queries import record
from twinbook.web.queries.record import Record

Endpoint = Callable[..., Awaitable[Any]]

PLACES = {"contacts": Entity.CONTACT, "accounts": Entity.ACCOUNT}


def key_in_path(
    request: Request,
    side: Side,
    record_id: Annotated[str, Path(max_length=18, pattern="^[0-9A-Za-z]+$")],
) -> Key:
    """The record that an address names. Raises `NotFound` for an id that cannot be one."""
    route: APIRoute = request.scope["route"]
    entity = next(found for name, found in PLACES.items() if f"/{name}/" in route.path)
    if side is Side.NETSUITE:
        return Key(entity, side, record_id)
    try:
        return Key(entity, side, to_18(record_id))
    except ValueError:
        raise NotFound(entity) from None


def about_records(router: APIRouter, method: str, tail: str = "") -> Callable[[Endpoint], Endpoint]:
    """Serves a route about one record, for contacts and for accounts."""

    def register(endpoint: Endpoint) -> Endpoint:
        for place in PLACES:
            router.add_api_route(f"/{place}/{{side}}/{{record_id}}{tail}", endpoint, methods=[method])
        return endpoint

    return register


KeyInPath = Annotated[Key, Depends(key_in_path)]


def path_of(key: Key) -> str:
    """Where the page of a record is."""
    place = next(name for name, entity in PLACES.items() if entity is key.entity)
    return f"/{place}/{key.side}/{key.id}"


async def shown_under(dashboard: Dashboard, connection: str, key: Key) -> Key:
    """The key of the pair: a linked NetSuite contact is shown with its Salesforce contact."""
    if key.side is Side.SALESFORCE or key.entity is not Entity.CONTACT:
        return key
    return await dashboard.read(lambda tx: controls.key_of(tx, key.id), connection) or key


async def look_at(dashboard: Dashboard, connection: str, key: Key) -> Record:
    """The record, live where the systems answer, else as it is remembered. Raises `NotFound` where nobody knows it."""
    memory = await dashboard.read(lambda tx: record.recall(tx, key), connection)
    look = await ask(dashboard, connection, lambda live: Looker(live).look(key))
    if look is not None and not isinstance(look, Silence):
        return record.looked_at(memory, look)
    if not record.is_known(memory):
        raise NotFound(key.entity)
    why = look.why if isinstance(look, Silence) else "Neither system knows it any more."
    return record.remembered(memory, mapping_of(dashboard, connection, key.entity), why)


def mapping_of(dashboard: Dashboard, connection: str, entity: Entity) -> FieldMap:
    """The field mapping: that of the running connection, else what the settings say."""
    live = dashboard.live.get(connection)
    settings = dashboard.settings.connections[connection]
    if entity is Entity.ACCOUNT:
        return live.accounts.mapping if live else account_policy(settings).mapping
    return live.contacts.mapping if live else contact_policy(settings).mapping


def addresses(
    dashboard: Dashboard, connection: str, entity: Entity, ids: dict[Side, str | None]
) -> dict[Side, str]:
    """The pages of both records in their own systems, where there are records. A record's id alone leads to its page
    in Salesforce (salesforce.md 1)."""
    settings = dashboard.settings.connections[connection]
    netsuite = NetSuiteConfig(settings.netsuite.account_id, settings.netsuite.base_url)
    places = {
        Side.SALESFORCE: f"{settings.salesforce.login_url.rstrip('/')}/{{id}}",
        Side.NETSUITE: netsuite.record_address(entity),
    }
    return {side: places[side].format(id=id_) for side, id_ in ids.items() if id_}
