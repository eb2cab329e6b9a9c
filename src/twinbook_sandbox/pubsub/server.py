"""The Pub/Sub API over gRPC: GetTopic, GetSchema and Subscribe (salesforce.md 2). The rest is UNIMPLEMENTED."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import grpc
import grpc.aio

from salesforce_eventbus import service
from salesforce_eventbus.messages import (
    FetchRequest,
    ReplayPreset,
    SchemaInfo,
    SchemaRequest,
    TopicInfo,
    TopicRequest,
)
from twinbook_sandbox.core.tls import TlsFiles
from twinbook_sandbox.pubsub.avro import schema_id
from twinbook_sandbox.pubsub.bus import DEFAULT_CHANNEL, EventBus
from twinbook_sandbox.pubsub.refusals import (
    BAD_HEADERS,
    BAD_TOKEN,
    EMPTY_TOPIC,
    REPLAY_ID_CORRUPTED,
    REPLAY_ID_INVALID,
    UNKNOWN_SCHEMA,
    RefusedError,
    topic_not_found,
    topic_not_permitted,
)
from twinbook_sandbox.pubsub.retention import position_of
from twinbook_sandbox.pubsub.stream import Stream
from twinbook_sandbox.salesforce.sessions import SessionInfo

GRACE_SECONDS = 0.5
"""How long calls under way may take to end when the server stops; streams never end by themselves."""

AnswerT = TypeVar("AnswerT", TopicInfo, SchemaInfo)
Context = grpc.aio.ServicerContext[Any, Any]


class PubSubServer:
    """Serves an event bus. `check_token` gives the session behind an access token, None if there is none."""

    def __init__(self, bus: EventBus, check_token: Callable[[str], SessionInfo | None]) -> None:
        self._bus = bus
        self._check_token = check_token
        self._server: grpc.aio.Server | None = None

    async def start(self, host: str, port: int, tls: TlsFiles | None) -> int:
        """Serve; returns the port, which the system chooses if `port` is 0. OSError if it is taken."""
        server = grpc.aio.server()
        server.add_generic_rpc_handlers((self._handlers(),))
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            if tls is None:
                bound = server.add_insecure_port(address)
            else:
                bound = server.add_secure_port(address, _credentials(tls))
        except RuntimeError as error:
            raise OSError(f"the Pub/Sub API cannot listen on {address}: {error}") from error
        await server.start()
        self._server = server
        return bound

    async def stop(self) -> None:
        """End all streams and close."""
        if self._server is not None:
            for stream in list(self._bus.streams):
                stream.cut()
            await self._server.stop(GRACE_SECONDS)
            self._server = None

    def _handlers(self) -> grpc.GenericRpcHandler[Any, Any]:
        topic, schema, subscribe = service.GET_TOPIC, service.GET_SCHEMA, service.SUBSCRIBE
        return grpc.method_handlers_generic_handler(
            service.SERVICE,
            {
                topic.name: grpc.unary_unary_rpc_method_handler(
                    self._get_topic, topic.request.FromString, topic.response.SerializeToString
                ),
                schema.name: grpc.unary_unary_rpc_method_handler(
                    self._get_schema, schema.request.FromString, schema.response.SerializeToString
                ),
                subscribe.name: grpc.stream_stream_rpc_method_handler(
                    self._subscribe, subscribe.request.FromString, subscribe.response.SerializeToString
                ),
            },
        )

    async def _get_topic(self, request: TopicRequest, context: Context) -> TopicInfo:
        async def answer(session: SessionInfo, rpc_id: str) -> TopicInfo:
            self._check_topic(request.topic_name, session)
            return TopicInfo(
                topic_name=request.topic_name,
                tenant_guid=f"CORE/prod/{session.org_id}",
                can_publish=False,
                can_subscribe=True,
                schema_id=self._topic_schema(request.topic_name),
                rpc_id=rpc_id,
            )

        return await self._answered(service.GET_TOPIC.name, context, answer)

    async def _get_schema(self, request: SchemaRequest, context: Context) -> SchemaInfo:
        async def answer(_session: SessionInfo, rpc_id: str) -> SchemaInfo:
            text = self._bus.schema_json(request.schema_id)
            if text is None:
                raise RefusedError(UNKNOWN_SCHEMA)
            return SchemaInfo(schema_json=text, schema_id=request.schema_id, rpc_id=rpc_id)

        return await self._answered(service.GET_SCHEMA.name, context, answer)

    async def _answered(
        self, method: str, context: Context, answer: Callable[[SessionInfo, str], Awaitable[AnswerT]]
    ) -> AnswerT:
        self._bus.calls[method] += 1
        rpc_id = self._bus.new_uuid()
        try:
            return await answer(self._session(context), rpc_id)
        except RefusedError as error:
            await error.refusal.abort(context, rpc_id)

    async def _subscribe(self, requests: AsyncIterator[FetchRequest], context: Context) -> None:
        self._bus.calls[service.SUBSCRIBE.name] += 1
        rpc_id = self._bus.new_uuid()
        try:
            # The token is looked at once: a live stream survives its end (salesforce.md 1.6).
            session = self._session(context)
            first = await anext(requests, None)
            if first is not None:
                await self._serve(self._open(first, session, rpc_id), requests, context)
        except RefusedError as error:
            await error.refusal.abort(context, rpc_id)

    async def _serve(self, stream: Stream, requests: AsyncIterator[FetchRequest], context: Context) -> None:
        listening = asyncio.create_task(stream.listen(requests))
        # Before the client hears that it is accepted: what happens to all streams from then on happens to this one.
        self._bus.streams.add(stream)
        try:
            if self._bus.switches.early_headers:
                await context.send_initial_metadata(())
            async with contextlib.aclosing(stream.responses()) as responses:
                async for response in responses:
                    await context.write(response)
        finally:
            self._bus.streams.discard(stream)
            listening.cancel()

    def _open(self, first: FetchRequest, session: SessionInfo, rpc_id: str) -> Stream:
        self._check_topic(first.topic_name, session)
        stream = Stream(self._bus, first.topic_name, self._start_of(first), rpc_id)
        stream.request(first)
        return stream

    def _start_of(self, first: FetchRequest) -> int:
        """The position that a stream starts after."""
        if first.replay_preset == ReplayPreset.EARLIEST:
            return 0
        if first.replay_preset == ReplayPreset.LATEST:
            return self._bus.log.newest()
        if not first.replay_id:
            raise RefusedError(REPLAY_ID_INVALID)
        position = position_of(first.replay_id)
        if position is None or not self._bus.log.holds(position):
            raise RefusedError(REPLAY_ID_CORRUPTED)
        return position

    def _session(self, context: Context) -> SessionInfo:
        metadata = dict(context.invocation_metadata() or ())
        given = [metadata.get(key) for key in (service.ACCESS_TOKEN, service.INSTANCE_URL, service.TENANT_ID)]
        if not all(given):
            raise RefusedError(BAD_HEADERS)
        session = self._check_token(str(given[0]))
        if session is None or session.org_id != given[2]:
            raise RefusedError(BAD_TOKEN)
        return session

    def _check_topic(self, topic: str, session: SessionInfo) -> None:
        if not topic:
            raise RefusedError(EMPTY_TOPIC)
        entities = self._bus.entities_of(topic)
        if not entities:
            raise RefusedError(topic_not_found(session.org_id, topic))
        # On a channel with several entities, those not permitted are left out at delivery (salesforce.md 3.1).
        if topic != DEFAULT_CHANNEL and self._bus.not_permitted(entities):
            raise RefusedError(topic_not_permitted(topic))

    def _topic_schema(self, topic: str) -> str:
        """A schema id; on a channel with several entities one that no event is written with."""
        if topic == DEFAULT_CHANNEL:
            return schema_id(topic)
        (entity,) = self._bus.entities_of(topic)
        return self._bus.schema(entity).id


def _credentials(tls: TlsFiles) -> grpc.ServerCredentials:
    pair = (tls.key.read_bytes(), tls.certificate.read_bytes())
    return grpc.ssl_server_credentials([pair])
