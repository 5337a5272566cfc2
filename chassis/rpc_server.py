"""A gRPC server whose calls are traced, validated, answered by one table of refusals, and counted.

One interceptor does all of it, so that a call through the gateway and a direct one are treated alike. The servicer gets
a request that keeps the rules of its proto, may raise its refusals, and may send response headers of its own.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias, cast

import grpc
import protovalidate
from google.protobuf.message import DecodeError, Message
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode

from chassis import addresses, rpc_errors, telemetry
from chassis.errors import AddressInUse, NotStarted
from chassis.logs import get_logger
from chassis.metrics import RPC_SERVER_REQUESTS, RPC_SERVER_SECONDS
from chassis.rpc_errors import Answer, Refusals

Registration = Callable[[grpc.aio.Server], None]
"""Adds one servicer: `partial(add_OrdersServicer_to_server, servicer)`."""

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"

_HealthServicer = health.aio.HealthServicer  # type: ignore[attr-defined] # exported by the package, unmarked for mypy

_INFRASTRUCTURE = "/grpc."
_METADATA_BYTES_MAX = 96 * 1024
"""More than any proxy lets through as headers: what is too large is refused there, the same each time."""
"""Health and reflection: neither traced nor counted."""

log = get_logger()


class RpcServer:
    """Serves the given services, gRPC health and reflection on `host:port`; port 0 takes a free one.

    `services` maps full names (`rpc.loms.v1.LomsService`) to their registrations. A request over `request_bytes_max` or
    beyond `calls_max` calls at once is answered RESOURCE_EXHAUSTED. A stop lets calls finish for `stop_seconds_max`.
    """

    def __init__(
        self,
        address: str,
        *,
        domain: str,
        services: Mapping[str, Registration],
        refusals: Refusals,
        request_bytes_max: int = 1024 * 1024,
        calls_max: int = 1_000,
        stop_seconds_max: float = 5.0,
    ) -> None:
        self.name = f"grpc {address}"
        self._address = address
        self._services = dict(services)
        self._interceptor = _Interceptor(domain=domain, refusals=refusals)
        self._request_bytes_max = request_bytes_max
        self._calls_max = calls_max
        self._stop_seconds_max = stop_seconds_max
        self._server: grpc.aio.Server | None = None
        self._health = _HealthServicer()
        self._bound = ""

    @property
    def address(self) -> str:
        """The address actually bound."""
        if self._server is None:
            raise NotStarted(self.name)
        return self._bound

    async def start(self) -> None:
        """Listen and report SERVING; raise `AddressInUse` when the port is taken."""
        if self._server is not None:
            return
        server = self._built()
        self._bound = _bind(server, self._address)
        await server.start()
        self._server = server
        for name in (*self._services, ""):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)

    async def stop(self) -> None:
        """Report NOT_SERVING, refuse new calls, let running ones finish."""
        server, self._server = self._server, None
        if server is not None:
            await self._health.enter_graceful_shutdown()
            await server.stop(self._stop_seconds_max)

    async def check(self) -> None:
        """Raise unless the server listens: its readiness check."""
        if self._server is None:
            raise NotStarted(self.name)

    def _built(self) -> grpc.aio.Server:
        server = grpc.aio.server(
            interceptors=[self._interceptor],
            maximum_concurrent_rpcs=self._calls_max,
            options=[
                ("grpc.max_receive_message_length", self._request_bytes_max),
                # By themselves they are 8 and 16 KiB, and between the two a call is refused at random.
                ("grpc.max_metadata_size", _METADATA_BYTES_MAX),
                ("grpc.absolute_max_metadata_size", _METADATA_BYTES_MAX),
                ("grpc.so_reuseport", 0),  # two processes on one port would share its calls unnoticed
            ],
        )
        for register in self._services.values():
            register(server)
        self._health = _HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        reflection.enable_server_reflection([*self._services, health.SERVICE_NAME, reflection.SERVICE_NAME], server)
        return server


class _Interceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg] # generic for mypy alone
    """Replaces each unary method of ours, once, by its guarded form."""

    def __init__(self, *, domain: str, refusals: Refusals) -> None:
        self._domain = domain
        self._refusals = refusals
        self._guarded: dict[str, _Handler] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[_Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> _Handler:
        method = handler_call_details.method
        known = self._guarded.get(method)
        if known is not None:
            return known
        handler = await continuation(handler_call_details)
        if handler is None or handler.unary_unary is None or method.startswith(_INFRASTRUCTURE):
            return handler
        guarded = _GuardedMethod(method, handler, domain=self._domain, refusals=self._refusals)
        self._guarded[method] = grpc.unary_unary_rpc_method_handler(guarded.answer)
        return self._guarded[method]


class _GuardedMethod:
    """One unary method: bytes in, bytes out, never an exception the caller could read."""

    def __init__(self, method: str, handler: _Handler, *, domain: str, refusals: Refusals) -> None:
        self._label = method.removeprefix("/")
        self._behaviour = cast("Callable[[Message, _Context], Awaitable[Message]]", handler.unary_unary)
        self._decode = cast("Callable[[bytes], Message]", handler.request_deserializer)
        self._encode = cast("Callable[[Message], bytes]", handler.response_serializer)
        self._domain = domain
        self._refusals = refusals
        self._tracer = trace.get_tracer("chassis.rpc_server")
        service, _, name = self._label.rpartition("/")
        self._attributes = {"rpc.system": "grpc", "rpc.service": service, "rpc.method": name}

    async def answer(self, body: bytes, context: _Context) -> bytes:
        """Return the response, or abort the call with the answer of a refusal."""
        started = time.perf_counter()
        code = "CANCELLED"
        try:
            with self._tracer.start_as_current_span(
                self._label,
                context=telemetry.extracted(_text_metadata(context)),
                kind=SpanKind.SERVER,
                attributes=self._attributes,
                record_exception=False,
                set_status_on_exception=False,
            ) as span:
                outcome = await self._outcome(body, context, span)
                code = outcome.code.name if isinstance(outcome, Answer) else "OK"
                span.set_attribute("rpc.response.status_code", code)
        except grpc.aio.AbortError:
            code = _code_of(context)
            raise
        finally:
            RPC_SERVER_REQUESTS.labels(self._label, code).inc()
            RPC_SERVER_SECONDS.labels(self._label).observe(time.perf_counter() - started)
        if isinstance(outcome, Answer):
            await self._abort(outcome, context)
        return cast("bytes", outcome)

    async def _outcome(self, body: bytes, context: _Context, span: Span) -> bytes | Answer:
        try:
            request = self._decode(body)
            violations = protovalidate.collect_violations(request)
            if violations:
                return rpc_errors.invalid(violations)
            return self._encode(await self._behaviour(request, context))
        except DecodeError:
            return rpc_errors.undecodable()
        except grpc.aio.AbortError:
            raise
        except Exception as error:  # noqa: BLE001 - a supervised boundary: the table answers, or it is ours and is logged
            if context.code() == grpc.StatusCode.UNIMPLEMENTED:  # set by generated code for a method we left out
                return rpc_errors.unimplemented()
            return rpc_errors.refused(error, self._refusals) or self._failed(error, span)

    def _failed(self, error: Exception, span: Span) -> Answer:
        log.error("rpc.failed", method=self._label, exc_info=error)
        span.set_status(StatusCode.ERROR, type(error).__name__)
        return rpc_errors.internal(f"{span.get_span_context().trace_id:032x}")

    async def _abort(self, answer: Answer, context: _Context) -> None:
        trailers = (
            *(context.trailing_metadata() or ()),
            (rpc_errors.STATUS_DETAILS_KEY, answer.status_details(self._domain)),
        )
        await context.abort(answer.code, answer.text, trailers)


def _code_of(context: _Context) -> str:
    """Return the code of a call the servicer aborted; grpc.aio keeps it as a number."""
    number = cast("Any", context.code())
    return next((code.name for code in grpc.StatusCode if number in {code, code.value[0]}), "UNKNOWN")


def _text_metadata(context: _Context) -> dict[str, str]:
    return {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}


def _bind(server: grpc.aio.Server, address: str) -> str:
    host, _ = addresses.split(address)
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise AddressInUse(address, "the port is taken or the host is not ours") from error
    return addresses.join(host, port)
