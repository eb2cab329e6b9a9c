"""What the control plane can do to the event bus: the acts of an administrator, and of a failing platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from twinbook_sandbox.core.orders import BadOrderError, parse
from twinbook_sandbox.pubsub.events import OVERFLOW, OVERFLOW_ID
from twinbook_sandbox.salesforce.metadata import parsed, values

if TYPE_CHECKING:
    from twinbook_sandbox.core.control import Action
    from twinbook_sandbox.pubsub.bus import EventBus

Entity = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
RecordId = Annotated[str, StringConstraints(min_length=15, max_length=18)]
GapType = Literal["GAP_CREATE", "GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE"]
ChangeType = Literal["CREATE", "UPDATE", "DELETE", "UNDELETE"]


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NothingOrder(_Order):
    """No arguments."""


class EntityOrder(_Order):
    """One entity, such as Contact."""

    entity: Entity


class MetadataOrder(_Order):
    """Files of the Metadata API, as texts."""

    metadata: Annotated[list[str], Field(min_length=1)]


class CountOrder(_Order):
    """The next `n` events, of one entity or of any."""

    n: Annotated[int, Field(ge=0, le=1_000_000)] = 1
    entity: Entity | Literal["*"] = "*"


class GapOrder(EntityOrder):
    """Records that changed in a way that the event does not tell."""

    ids: Annotated[list[RecordId], Field(min_length=1)]
    change_type: GapType = "GAP_UPDATE"


class WildcardOrder(EntityOrder):
    """A change to all records of an entity."""

    change_type: ChangeType | GapType = "UPDATE"


class ChangeOrder(EntityOrder):
    """An event by hand; `fields` with REST names and values. No record is changed."""

    ids: Annotated[list[RecordId], Field(min_length=1)]
    change_type: ChangeType = "UPDATE"
    fields: dict[str, Any] = Field(default_factory=dict)
    origin: str = ""


class BusActions:
    """The actions by name. Each takes the arguments of its order and answers with JSON."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus

    def table(self) -> dict[str, Action]:
        """All of them, for the control plane."""
        return {
            "event_stats": self.event_stats,
            "cut_streams": self.cut_streams,
            "hang_streams": self.hang_streams,
            "lose_next": self.lose_next,
            "duplicate_next": self.duplicate_next,
            "gap_event": self.gap_event,
            "overflow_event": self.overflow_event,
            "wildcard_event": self.wildcard_event,
            "change_event": self.change_event,
            "expire_retention": self.expire_retention,
            "change_schema": self.change_schema,
            "enable_entity": self.enable_entity,
            "disable_entity": self.disable_entity,
            "deploy_channel_members": self.deploy_channel_members,
            "forbid_entity": self.forbid_entity,
            "allow_entity": self.allow_entity,
        }

    def event_stats(self, given: dict[str, Any]) -> dict[str, Any]:
        """Calls by method, live streams, retained events, entities selected."""
        parse(NothingOrder, given)
        return {
            "calls": dict(self._bus.calls),
            "streams": len(self._bus.streams),
            "retained": self._bus.log.count(),
            "enabled": sorted(self._bus.enabled),
        }

    def cut_streams(self, given: dict[str, Any]) -> dict[str, int]:
        """All live streams fail with UNAVAILABLE and no error-code, as when a proxy restarts."""
        parse(NothingOrder, given)
        streams = list(self._bus.streams)
        for stream in streams:
            stream.cut()
        return {"streams": len(streams)}

    def hang_streams(self, given: dict[str, Any]) -> dict[str, int]:
        """All live streams fall silent without ending; new ones are not affected."""
        parse(NothingOrder, given)
        streams = list(self._bus.streams)
        for stream in streams:
            stream.hang()
        return {"streams": len(streams)}

    def lose_next(self, given: dict[str, Any]) -> dict[str, int]:
        """The next events are never published: {n?, entity?}."""
        order = parse(CountOrder, given)
        self._bus.lose[order.entity] = order.n
        return {"n": order.n}

    def duplicate_next(self, given: dict[str, Any]) -> dict[str, int]:
        """The next events come twice, with one event id and two replay ids: {n?, entity?}."""
        order = parse(CountOrder, given)
        self._bus.duplicate[order.entity] = order.n
        return {"n": order.n}

    def gap_event(self, given: dict[str, Any]) -> dict[str, str | None]:
        """Records changed, and the event does not tell how: {entity, ids, change_type?}."""
        order = parse(GapOrder, given)
        return self._announced(order.entity, order.change_type, order.ids)

    def overflow_event(self, given: dict[str, Any]) -> dict[str, str | None]:
        """More than 100,000 changes in one transaction: {entity}."""
        return self._announced(parse(EntityOrder, given).entity, OVERFLOW, [OVERFLOW_ID])

    def wildcard_event(self, given: dict[str, Any]) -> dict[str, str | None]:
        """All records changed at once, as by the conversion of a field: {entity, change_type?}."""
        order = parse(WildcardOrder, given)
        prefix = self._bus.key_prefix(order.entity)
        return self._announced(order.entity, order.change_type, [f"{prefix}*"])

    def change_event(self, given: dict[str, Any]) -> dict[str, str | None]:
        """An event by hand, such as geocoding: {entity, ids, change_type?, fields?, origin?}."""
        order = parse(ChangeOrder, given)
        known = self._bus.schema(order.entity).places
        for name in order.fields:
            if name not in known:
                raise BadOrderError(
                    f"fields.{name}", "the entity's events have no such field", "use a REST field name"
                )
        return self._announced(order.entity, order.change_type, order.ids, order.fields, order.origin)

    def expire_retention(self, given: dict[str, Any]) -> dict[str, int]:
        """All events and replay ids so far are older than the retention."""
        parse(NothingOrder, given)
        return {"events": self._bus.log.expire()}

    def change_schema(self, given: dict[str, Any]) -> dict[str, str]:
        """Later events have a new schema id and other field positions: {entity}."""
        return {"schema_id": self._bus.change_schema(parse(EntityOrder, given).entity).id}

    def enable_entity(self, given: dict[str, Any]) -> dict[str, list[str]]:
        """Select an entity for Change Data Capture: {entity}."""
        entity = parse(EntityOrder, given).entity
        self._check_room(self._bus.enabled | {entity})
        self._bus.enabled.add(entity)
        return self._enabled()

    def disable_entity(self, given: dict[str, Any]) -> dict[str, list[str]]:
        """Take an entity out of Change Data Capture: {entity}."""
        self._bus.enabled.discard(parse(EntityOrder, given).entity)
        return self._enabled()

    def deploy_channel_members(self, given: dict[str, Any]) -> dict[str, list[str]]:
        """Select entities by PlatformEventChannelMember files of the default channel: {metadata: [XML]}."""
        selected = {_selected_by(text) for text in parse(MetadataOrder, given).metadata}
        self._check_room(self._bus.enabled | selected)
        self._bus.enabled |= selected
        return self._enabled()

    def forbid_entity(self, given: dict[str, Any]) -> dict[str, list[str]]:
        """Take View All on an entity from the subscribing user: {entity}."""
        self._bus.forbidden.add(parse(EntityOrder, given).entity)
        return {"forbidden": sorted(self._bus.forbidden)}

    def allow_entity(self, given: dict[str, Any]) -> dict[str, list[str]]:
        """Give View All on an entity back: {entity}."""
        self._bus.forbidden.discard(parse(EntityOrder, given).entity)
        return {"forbidden": sorted(self._bus.forbidden)}

    def _check_room(self, entities: set[str]) -> None:
        most = self._bus.switches.max_selected_entities
        if len(entities) > most:
            raise BadOrderError("entity", f"{most} entities are selected already", "disable one first")

    def _enabled(self) -> dict[str, list[str]]:
        return {"enabled": sorted(self._bus.enabled)}

    def _announced(
        self,
        entity: str,
        change_type: str,
        ids: list[str],
        fields: dict[str, Any] | None = None,
        origin: str = "",
    ) -> dict[str, str | None]:
        if entity not in self._bus.enabled:
            remedy = f"choose one of {', '.join(sorted(self._bus.enabled))}, or enable_entity first"
            raise BadOrderError("entity", f"{entity} is not selected for Change Data Capture", remedy)
        return {"event_id": self._bus.announce(entity, change_type, ids, fields, origin)}


def _selected_by(text: str) -> str:
    """The entity that a channel member selects. Raises ValueError."""
    member = values(parsed(text, "PlatformEventChannelMember"))
    if member.get("eventChannel") != "ChangeEvents":
        raise ValueError(f"only the channel ChangeEvents is emulated, not {member.get('eventChannel')}")
    return member["selectedEntity"].removesuffix("ChangeEvent")
