"""A client's call has a deadline, carries the trace, and is made once."""

from collections.abc import AsyncIterator
from typing import TypeAlias

import grpc
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from prometheus_client import REGISTRY

from chassis.errors import NotStarted
from chassis.rpc_client import RpcClient
from rpc.loms.v1 import loms_pb2, loms_pb2_grpc
from stack.ports import free_port
from tests.integration.chassis.shop import METHOD, Servicer, a_servicer, serve
from tests.recorded_spans import recorded_spans
from tests.waiting import eventually

Client: TypeAlias = "RpcClient[loms_pb2_grpc.LomsServiceAsyncStub]"


@pytest.fixture
def servicer() -> Servicer:
    return a_servicer()


@pytest.fixture
async def client(servicer: Servicer) -> AsyncIterator[Client]:
    server = serve(servicer, stop_seconds_max=0.1)
    await server.start()
    client = _client(server.address)
    await client.start()
    yield client
    await client.stop()
    await server.stop()


async def test_a_call_is_answered(client: Client) -> None:
    assert (await client.stub.OrderInfo(loms_pb2.OrderInfoRequest(order_id=1))).status == "paid"


async def test_a_call_without_a_deadline_gets_the_clients(client: Client) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await client.stub.OrderInfo(loms_pb2.OrderInfoRequest(order_id=888))

    assert refusal.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_call_may_bring_a_deadline_of_its_own(client: Client) -> None:
    call = client.stub.OrderInfo(loms_pb2.OrderInfoRequest(order_id=1), timeout=60)

    assert (await call).status == "paid"


async def test_a_refused_call_is_made_once(client: Client, servicer: Servicer) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await client.stub.OrderInfo(loms_pb2.OrderInfoRequest(order_id=404))

    assert refusal.value.code() is grpc.StatusCode.NOT_FOUND
    assert len(servicer.seen) == 1


async def test_the_server_continues_the_trace_of_the_caller(client: Client) -> None:
    with recorded_spans() as spans:
        with trace.get_tracer("test").start_as_current_span("checkout") as root:
            await client.stub.OrderInfo(loms_pb2.OrderInfoRequest(order_id=1))
        kinds = await eventually(lambda: _kinds(spans.get_finished_spans(), root, count=3))

    assert kinds == {"INTERNAL", "CLIENT", "SERVER"}


async def test_calls_are_counted_by_method_and_code(client: Client) -> None:
    before = _count("NOT_FOUND")

    with pytest.raises(grpc.aio.AioRpcError):
        await client.stub.OrderInfo(loms_pb2.OrderInfoRequest(order_id=404))

    assert _count("NOT_FOUND") == before + 1


async def test_headers_of_the_answer_can_be_read(client: Client) -> None:
    call = client.stub.OrderInfo(loms_pb2.OrderInfoRequest(order_id=1))
    await call

    assert (await call.initial_metadata())["idempotency-replayed"] == "true"


async def test_a_server_that_is_away_fails_the_call_and_is_found_when_it_is_back() -> None:
    address = f"127.0.0.1:{free_port()}"
    client = _client(address, deadline_seconds=5.0)
    await client.start()

    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await client.stub.OrderInfo(loms_pb2.OrderInfoRequest(order_id=1))
    server = serve(a_servicer(), address)
    await server.start()
    answer = await client.stub.OrderInfo(loms_pb2.OrderInfoRequest(order_id=1), wait_for_ready=True)
    await client.stop()
    await server.stop()

    assert refusal.value.code() is grpc.StatusCode.UNAVAILABLE
    assert answer.status == "paid"


async def test_a_client_that_is_not_started_says_so_and_stops_twice() -> None:
    client = _client("127.0.0.1:1")

    with pytest.raises(NotStarted, match=r"grpc client 127\.0\.0\.1:1 is not running"):
        _ = client.stub
    for step in (client.start, client.start, client.stop, client.stop):
        await step()


def _client(address: str, *, deadline_seconds: float = 0.2) -> Client:
    return RpcClient(address, stub=loms_pb2_grpc.LomsServiceStub, deadline_seconds=deadline_seconds)


def _kinds(spans: tuple[ReadableSpan, ...], root: trace.Span, *, count: int) -> set[str]:
    ours = [span for span in spans if span.context.trace_id == root.get_span_context().trace_id]
    return {span.kind.name for span in ours} if len(ours) == count else set()


def _count(code: str) -> float:
    return REGISTRY.get_sample_value("rpc_client_requests_total", {"method": METHOD, "code": code}) or 0
