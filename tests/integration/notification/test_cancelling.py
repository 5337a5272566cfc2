"""Cancelling through the owner of orders: the real service over real gRPC, and one that is not there."""

from typing import Any

import grpc
import pytest

from chassis.rpc_client import RpcClient
from rpc.loms.v1 import loms_pb2 as pb
from rpc.loms.v1.loms_pb2_grpc import LomsServiceStub
from services.notification.clients.loms import LomsOrders
from services.notification.service.desk import Cancellation
from stack.ports import LOOPBACK, free_port


def answering(code: grpc.StatusCode) -> Any:
    """An owner of orders that answers every cancelling alike."""

    async def cancel(request: pb.OrderCancelRequest, context: grpc.aio.ServicerContext) -> pb.OrderCancelResponse:  # type: ignore[type-arg]  # generic for mypy alone
        if code is not grpc.StatusCode.OK:
            await context.abort(code, f"order {request.order_id}")
        return pb.OrderCancelResponse()

    method = grpc.unary_unary_rpc_method_handler(
        cancel,
        request_deserializer=pb.OrderCancelRequest.FromString,
        response_serializer=pb.OrderCancelResponse.SerializeToString,
    )
    return grpc.method_handlers_generic_handler("rpc.loms.v1.LomsService", {"OrderCancel": method})


async def cancelled(address: str) -> Cancellation:
    client = RpcClient(address, stub=LomsServiceStub, deadline_seconds=1)
    await client.start()
    try:
        return await LomsOrders(client).cancel(42)
    finally:
        await client.stop()


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (grpc.StatusCode.OK, Cancellation.DONE),
        (grpc.StatusCode.FAILED_PRECONDITION, Cancellation.TOO_LATE),
        (grpc.StatusCode.NOT_FOUND, Cancellation.TOO_LATE),
        (grpc.StatusCode.INTERNAL, Cancellation.AWAY),
        (grpc.StatusCode.UNAVAILABLE, Cancellation.AWAY),
        (grpc.StatusCode.ABORTED, Cancellation.AWAY),
    ],
)
async def test_an_answer_about_cancelling_is_told_by_what_it_means(
    code: grpc.StatusCode, outcome: Cancellation
) -> None:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((answering(code),))
    port = server.add_insecure_port(f"{LOOPBACK}:0")
    await server.start()
    try:
        assert await cancelled(f"{LOOPBACK}:{port}") is outcome
    finally:
        await server.stop(None)


async def test_an_owner_that_is_away_is_told_within_the_deadline() -> None:
    assert await cancelled(f"{LOOPBACK}:{free_port()}") is Cancellation.AWAY
