"""A client of a gRPC service: every call has a deadline, carries the trace, is counted, and is made once.

Nothing is retried here: only the caller knows whether a call may be repeated.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, cast

import grpc
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from chassis import telemetry
from chassis.errors import NotStarted
from chassis.metrics import RPC_CLIENT_REQUESTS, RPC_CLIENT_SECONDS

Stub = TypeVar("Stub")

_CHANNEL_OPTIONS = [
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
]


class RpcClient(Generic[Stub]):
    """A channel to `host:port` and the stub on it.

    `RpcClient("127.0.0.1:8083", stub=LomsServiceStub)`; after the start `await client.stub.OrderInfo(request)`. A call
    without a `timeout` of its own gets `deadline_seconds`. `interceptors` stand before the one that counts and traces.
    """

    def __init__(
        self,
        address: str,
        *,
        stub: Callable[[grpc.aio.Channel], Stub],
        deadline_seconds: float = 2.0,
        interceptors: Sequence[Any] = (),
    ) -> None:
        self.name = f"grpc client {address}"
        self._address = address
        self._build = stub
        self._interceptors = [*interceptors, cast("grpc.aio.ClientInterceptor", _Interceptor(deadline_seconds))]
        self._channel: grpc.aio.Channel | None = None
        self._stub: Stub | None = None

    @property
    def stub(self) -> Stub:
        """The generated stub; raises `NotStarted` before the start."""
        if self._stub is None:
            raise NotStarted(self.name)
        return self._stub

    async def start(self) -> None:
        """Open the channel; the connection itself is made by the first call."""
        if self._channel is None:
            self._channel = grpc.aio.insecure_channel(
                self._address, options=_CHANNEL_OPTIONS, interceptors=self._interceptors
            )
            self._stub = self._build(self._channel)

    async def stop(self) -> None:
        """Close the channel; calls in flight are cancelled."""
        channel, self._channel, self._stub = self._channel, None, None
        if channel is not None:
            await channel.close(None)


class _Interceptor(grpc.aio.UnaryUnaryClientInterceptor):  # type: ignore[type-arg] # generic for mypy alone
    def __init__(self, deadline_seconds: float) -> None:
        self._deadline_seconds = deadline_seconds
        self._tracer = trace.get_tracer("chassis.rpc_client")

    async def intercept_unary_unary(
        self,
        continuation: Callable[[grpc.aio.ClientCallDetails, Any], Any],
        client_call_details: grpc.aio.ClientCallDetails,
        request: Any,
    ) -> Any:
        label = _text(client_call_details.method).removeprefix("/")
        started = time.perf_counter()
        code = "CANCELLED"
        try:
            with self._tracer.start_as_current_span(label, kind=SpanKind.CLIENT, record_exception=False) as span:
                call = await continuation(self._completed(client_call_details), request)
                status = await _ended(call)
                code = status.name
                if status is not grpc.StatusCode.OK:
                    span.set_status(StatusCode.ERROR, code)
                return call
        finally:
            RPC_CLIENT_REQUESTS.labels(label, code).inc()
            RPC_CLIENT_SECONDS.labels(label).observe(time.perf_counter() - started)

    def _completed(self, details: grpc.aio.ClientCallDetails) -> grpc.aio.ClientCallDetails:
        metadata = grpc.aio.Metadata(*(details.metadata or ()), *telemetry.inject().items())
        timeout = self._deadline_seconds if details.timeout is None else details.timeout
        return grpc.aio.ClientCallDetails(
            details.method, timeout, metadata, details.credentials, details.wait_for_ready
        )


async def _ended(call: Any) -> grpc.StatusCode:
    """Wait for the code; a caller that is cancelled ends the call, and the server learns of it."""
    try:
        code: grpc.StatusCode = await call.code()
    except asyncio.CancelledError:
        call.cancel()
        raise
    return code


def _text(method: str | bytes) -> str:
    return method.decode() if isinstance(method, bytes) else method
