"""A gRPC service for the tests of the chassis: LOMS's proto, with answers made up on the spot."""

import asyncio
from functools import partial
from typing import Any, cast

import grpc
from google.rpc import error_details_pb2, status_pb2

from chassis.rpc_errors import Refusals
from chassis.rpc_server import RpcServer
from rpc.loms.v1 import loms_pb2, loms_pb2_grpc

SERVICE = "rpc.loms.v1.LomsService"
METHOD = f"{SERVICE}/OrderInfo"


class OrderNotFound(Exception):
    """Order 404 does not exist."""

    def __init__(self, order_id: int) -> None:
        super().__init__(f"order {order_id} not found")
        self.order_id = order_id


REFUSALS: Refusals = {OrderNotFound: grpc.StatusCode.NOT_FOUND}


class Servicer(loms_pb2_grpc.LomsServiceServicer):
    """Order 404 is unknown, 500 breaks, 409 is refused by the servicer itself, 888 never ends."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.asked = asyncio.Event()

    async def OrderInfo(  # noqa: N802 - the name is the protocol's
        self, request: loms_pb2.OrderInfoRequest, context: "grpc.aio.ServicerContext[Any, Any]"
    ) -> loms_pb2.OrderInfoResponse:
        self.seen.append(request)
        self.asked.set()
        match request.order_id:
            case 404:
                raise OrderNotFound(404)
            case 409:
                await context.abort(grpc.StatusCode.ABORTED, "still running")
            case 500:
                raise RuntimeError("select * from secrets")
            case 888:
                await asyncio.Event().wait()
        await context.send_initial_metadata((("idempotency-replayed", "true"),))
        context.set_trailing_metadata((("order-version", "3"),))
        return loms_pb2.OrderInfoResponse(status="paid", user_id=7)


def a_servicer() -> Servicer:
    """Return a servicer that leaves most methods out."""
    return Servicer()  # type: ignore[abstract] # what is left out is what one of the tests is about


def serve(servicer: Servicer, address: str = "127.0.0.1:0", **options: Any) -> RpcServer:
    """Return a server of the made-up service, not yet started."""
    register = partial(loms_pb2_grpc.add_LomsServiceServicer_to_server, servicer)
    return RpcServer(address, domain="shop", services={SERVICE: register}, refusals=REFUSALS, **options)


def details_of(error: grpc.aio.AioRpcError) -> tuple[error_details_pb2.ErrorInfo, error_details_pb2.BadRequest]:
    """Return the details of an answer; a kind it does not carry is empty."""
    trailers = dict(cast("Any", error.trailing_metadata()))
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    info, bad_request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for packed in status.details:
        packed.Unpack(info)
        packed.Unpack(bad_request)
    return info, bad_request
