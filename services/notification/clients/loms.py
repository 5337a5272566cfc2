"""The owner of orders, over gRPC."""

from typing import TYPE_CHECKING

import grpc

from chassis.logs import get_logger
from rpc.loms.v1.loms_pb2 import OrderCancelRequest
from services.notification.service.desk import Cancellation

if TYPE_CHECKING:
    from chassis.rpc_client import RpcClient
    from rpc.loms.v1.loms_pb2_grpc import LomsServiceAsyncStub

_NO = frozenset({grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT})
"""Answers that no repeat changes: the order was paid, failed, or is unknown there."""

log = get_logger()


class LomsOrders:
    """Cancels orders. Cancelling twice is OK there, so a repeat after a lost answer is harmless."""

    def __init__(self, client: "RpcClient[LomsServiceAsyncStub]") -> None:
        self._client = client

    async def cancel(self, order_id: int) -> Cancellation:
        """Cancel an order; never raises, and takes no longer than the client's deadline."""
        try:
            await self._client.stub.OrderCancel(OrderCancelRequest(order_id=order_id))
        except grpc.aio.AioRpcError as refusal:
            log.info("orders.not_cancelled", order_id=order_id, code=refusal.code().name)
            return Cancellation.TOO_LATE if refusal.code() in _NO else Cancellation.AWAY
        return Cancellation.DONE
