"""A gRPC call is validated, answered by the table of refusals, traced and counted; nothing internal gets out."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeAlias

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from opentelemetry.trace import SpanKind
from prometheus_client import REGISTRY

from chassis.errors import AddressInUse, NotStarted
from rpc.loms.v1 import loms_pb2, loms_pb2_grpc
from tests.captured_logs import captured_logs
from tests.integration.chassis.shop import METHOD, SERVICE, Servicer, a_servicer, details_of, serve
from tests.recorded_spans import recorded_spans
from tests.waiting import eventually

Stub: TypeAlias = "loms_pb2_grpc.LomsServiceAsyncStub"


@pytest.fixture
def servicer() -> Servicer:
    return a_servicer()


@pytest.fixture
async def channel(servicer: Servicer) -> AsyncIterator[grpc.aio.Channel]:
    server = serve(servicer)
    await server.start()
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield channel
    await server.stop()


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> Stub:
    return loms_pb2_grpc.LomsServiceStub(channel)


async def test_a_good_call_is_answered(stub: Stub) -> None:
    answer = await stub.OrderInfo(loms_pb2.OrderInfoRequest(order_id=1))

    assert answer == loms_pb2.OrderInfoResponse(status="paid", user_id=7)


async def test_the_servicer_may_send_headers_and_trailers(stub: Stub) -> None:
    call = stub.OrderInfo(loms_pb2.OrderInfoRequest(order_id=1))
    await call

    assert ("idempotency-replayed", "true") in tuple(await call.initial_metadata())
    assert ("order-version", "3") in tuple(await call.trailing_metadata())


async def test_a_request_that_breaks_a_rule_never_reaches_the_servicer(stub: Stub, servicer: Servicer) -> None:
    error = await _refusal(stub, loms_pb2.OrderInfoRequest(order_id=-5))

    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert error.details() == "order_id: must be greater than 0, not -5"
    assert servicer.seen == []


async def test_a_broken_rule_is_told_as_field_value_and_rule(stub: Stub) -> None:
    info, bad_request = details_of(await _refusal(stub, loms_pb2.OrderInfoRequest(order_id=-5)))

    assert (info.reason, info.domain) == ("INVALID_ARGUMENT", "shop")
    assert dict(info.metadata) == {"field": "order_id", "value": "-5", "rule": "int64.gt"}
    assert [(v.field, v.description, v.reason) for v in bad_request.field_violations] == [
        ("order_id", "must be greater than 0", "int64.gt")
    ]


async def test_an_empty_body_is_the_zero_message_and_is_refused(channel: grpc.aio.Channel, servicer: Servicer) -> None:
    with pytest.raises(grpc.aio.AioRpcError, match="order_id: must be greater than 0, not 0"):
        await _raw(channel)(b"")

    assert servicer.seen == []


async def test_every_broken_rule_of_a_request_is_named_by_its_path(stub: Stub) -> None:
    request = loms_pb2.OrderCreateRequest(
        user_id=0, items=[loms_pb2.Item(sku=1, count=1), loms_pb2.Item(sku=-1, count=0)]
    )

    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await stub.OrderCreate(request)

    _, bad_request = details_of(refusal.value)
    assert [violation.field for violation in bad_request.field_violations] == [
        "user_id",
        "items[1].sku",
        "items[1].count",
    ]


async def test_a_thousand_broken_rules_still_fit_the_answer(stub: Stub) -> None:
    request = loms_pb2.OrderCreateRequest(user_id=1, items=[loms_pb2.Item(sku=-1, count=1)] * 1_000)

    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await stub.OrderCreate(request)

    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert len(details_of(refusal.value)[1].field_violations) == 8


async def test_bytes_that_are_no_message_are_an_invalid_argument(channel: grpc.aio.Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await _raw(channel)(b"\xff\xff\xff")

    assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.value.details() == "the request is not a message of this method"


async def test_a_listed_refusal_is_answered_by_the_table(stub: Stub) -> None:
    error = await _refusal(stub, loms_pb2.OrderInfoRequest(order_id=404))

    info, _ = details_of(error)
    assert (error.code(), error.details()) == (grpc.StatusCode.NOT_FOUND, "order 404 not found")
    assert (info.reason, info.domain, dict(info.metadata)) == ("ORDER_NOT_FOUND", "shop", {"order_id": "404"})


async def test_an_error_of_ours_is_internal_and_says_nothing(stub: Stub) -> None:
    error = await _refusal(stub, loms_pb2.OrderInfoRequest(order_id=500))

    assert (error.code(), error.details()) == (grpc.StatusCode.INTERNAL, "internal error")
    assert "secrets" not in repr(error.trailing_metadata())


async def test_an_error_of_ours_is_logged_under_the_trace_the_caller_was_told(stub: Stub) -> None:
    with captured_logs() as captured, recorded_spans():
        error = await _refusal(stub, loms_pb2.OrderInfoRequest(order_id=500))

    info, _ = details_of(error)
    [line] = captured.of("rpc.failed")
    assert line["trace_id"] == info.metadata["trace_id"]
    assert line["error_text"] == "select * from secrets"


async def test_the_servicers_own_abort_is_left_alone_and_counted(stub: Stub) -> None:
    before = _count("ABORTED")

    error = await _refusal(stub, loms_pb2.OrderInfoRequest(order_id=409))

    assert (error.code(), error.details()) == (grpc.StatusCode.ABORTED, "still running")
    assert _count("ABORTED") == before + 1


async def test_a_method_left_out_is_unimplemented(stub: Stub) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await stub.OrderPay(loms_pb2.OrderPayRequest(order_id=1))

    assert refusal.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_an_unknown_method_is_unimplemented(channel: grpc.aio.Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await channel.unary_unary(f"/{SERVICE}/Nope", None, None)(b"")

    assert refusal.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_span_continues_the_callers_trace(stub: Stub) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with recorded_spans() as spans:
        await stub.OrderInfo(loms_pb2.OrderInfoRequest(order_id=1), metadata=(("traceparent", parent),))
        [span] = await eventually(spans.get_finished_spans)

    assert (span.name, span.kind) == (METHOD, SpanKind.SERVER)
    assert f"{span.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == "b7ad6b7169203331"


async def test_a_broken_traceparent_is_ignored(stub: Stub) -> None:
    answer = await stub.OrderInfo(loms_pb2.OrderInfoRequest(order_id=1), metadata=(("traceparent", "rubbish"),))

    assert answer.status == "paid"


async def test_calls_are_counted_by_method_and_code(stub: Stub) -> None:
    before = [_count("OK"), _count("NOT_FOUND")]

    await stub.OrderInfo(loms_pb2.OrderInfoRequest(order_id=1))
    await _refusal(stub, loms_pb2.OrderInfoRequest(order_id=404))

    assert [_count("OK") - before[0], _count("NOT_FOUND") - before[1]] == [1, 1]


async def test_a_call_the_client_gave_up_ends_and_is_counted(stub: Stub, servicer: Servicer) -> None:
    before = _count("CANCELLED")
    call = stub.OrderInfo(loms_pb2.OrderInfoRequest(order_id=888))
    reading = asyncio.create_task(call.code())
    await servicer.asked.wait()

    call.cancel()

    assert await reading is grpc.StatusCode.CANCELLED
    await eventually(lambda: _count("CANCELLED") == before + 1)


async def test_a_request_over_the_limit_is_refused(servicer: Servicer) -> None:
    server = serve(servicer, request_bytes_max=100)
    await server.start()
    async with grpc.aio.insecure_channel(server.address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await _raw(channel)(b"\x08\x01" * 100)
    await server.stop()

    assert refusal.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert servicer.seen == []


async def test_health_tells_serving_by_name(channel: grpc.aio.Channel) -> None:
    health = health_pb2_grpc.HealthStub(channel)

    for name in ("", SERVICE):
        answer = await health.Check(health_pb2.HealthCheckRequest(service=name))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_reflection_lists_the_service(channel: grpc.aio.Channel) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    call = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))

    answer = await call.read()

    assert SERVICE in [service.name for service in answer.list_services_response.service]


async def test_a_stop_lets_a_running_call_finish_within_its_bound(servicer: Servicer) -> None:
    server = serve(servicer, stop_seconds_max=0.1)
    await server.start()
    async with grpc.aio.insecure_channel(server.address) as channel:
        call = loms_pb2_grpc.LomsServiceStub(channel).OrderInfo(loms_pb2.OrderInfoRequest(order_id=888))
        reading = asyncio.create_task(call.code())
        await servicer.asked.wait()

        await server.stop()

        assert await reading is not grpc.StatusCode.OK


async def test_a_taken_port_is_named_with_its_cure(servicer: Servicer) -> None:
    first = serve(servicer)
    await first.start()

    with pytest.raises(AddressInUse, match=rf"cannot listen on {first.address}"):
        await serve(servicer, first.address).start()

    await first.stop()


async def test_a_server_can_be_started_and_stopped_twice(servicer: Servicer) -> None:
    server = serve(servicer)
    for step in (server.stop, server.start, server.start, server.check, server.stop, server.stop, server.start):
        await step()

    async with grpc.aio.insecure_channel(server.address) as channel:
        assert (
            await loms_pb2_grpc.LomsServiceStub(channel).OrderInfo(loms_pb2.OrderInfoRequest(order_id=1))
        ).status == "paid"

    await server.stop()
    with pytest.raises(NotStarted):
        await server.check()


async def _refusal(stub: Stub, request: loms_pb2.OrderInfoRequest) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as refusal:
        await stub.OrderInfo(request)
    return refusal.value


def _raw(channel: grpc.aio.Channel) -> "grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]":
    return channel.unary_unary(f"/{METHOD}", None, None)


def _count(code: str) -> float:
    return REGISTRY.get_sample_value("rpc_server_requests_total", {"method": METHOD, "code": code}) or 0
