"""LOMS as the cart sees it: how much there is, and where orders are placed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import grpc
import stamina

from chassis.breaker import Breaker, CircuitOpen
from chassis.deadline import remaining
from rpc.loms.v1 import loms_pb2 as pb
from services.cart.clients.failures import is_failure, translated
from services.cart.domain.cart import CartItem, OrderId, Sku, UserId
from services.cart.domain.errors import CheckoutUnderWay, OrderRefused

if TYPE_CHECKING:
    from chassis.rpc_client import RpcClient
    from rpc.loms.v1.loms_pb2_grpc import LomsServiceAsyncStub

NEIGHBOUR = "loms"
_REFUSED = frozenset({grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.INVALID_ARGUMENT})


class Loms:
    """The ports `Stock` and `Orders` over gRPC.

    A create is repeated only while LOMS says that the same one runs at this moment: it is waited for. Otherwise the
    checkout stays open, and its next attempt carries the same key.
    """

    def __init__(
        self, *, client: "RpcClient[LomsServiceAsyncStub]", call_seconds_max: float, breaker: Breaker | None = None
    ) -> None:
        self._client = client
        self._call_seconds_max = call_seconds_max
        self._breaker = breaker or Breaker(is_failure=is_failure)

    async def available(self, sku: Sku) -> int:
        """Return the pieces that can be ordered, 0 for a sku without stock. Raises NeighbourAway, DeadlinePassed."""
        request = pb.StocksInfoRequest(sku=sku)
        try:
            response = await self._breaker.call(lambda: self._client.stub.StocksInfo(request, timeout=self._timeout()))
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return 0
            raise translated(error, NEIGHBOUR) from error
        except CircuitOpen as error:
            raise translated(error, NEIGHBOUR) from error
        return response.count

    async def create(self, user_id: UserId, items: Sequence[CartItem], *, key: str) -> OrderId:
        """Place an order; with the same key the same order. Raises OrderRefused.

        NeighbourAway, DeadlinePassed and CheckoutUnderWay leave open whether it was placed.
        """
        lines = [pb.Item(sku=item.sku, count=item.count) for item in items]
        request = pb.OrderCreateRequest(user_id=user_id, items=lines)
        try:
            response = await self._created(request, key)
        except grpc.aio.AioRpcError as error:
            if error.code() in _REFUSED:
                raise OrderRefused(error.details() or "LOMS refuses the order") from error
            if error.code() is grpc.StatusCode.ABORTED:
                raise CheckoutUnderWay(user_id) from error
            raise translated(error, NEIGHBOUR) from error
        except CircuitOpen as error:
            raise translated(error, NEIGHBOUR) from error
        return OrderId(response.order_id)

    async def _created(self, request: pb.OrderCreateRequest, key: str) -> pb.OrderCreateResponse:
        metadata = (("idempotency-key", key),)
        async for attempt in stamina.retry_context(
            on=_is_under_way,
            attempts=None,
            timeout=self._timeout(),
            wait_initial=0.02,
            wait_max=0.25,
            wait_jitter=0.05,
        ):
            with attempt:
                return await self._breaker.call(
                    lambda: self._client.stub.OrderCreate(request, timeout=self._timeout(), metadata=metadata)
                )
        raise AssertionError("the loop above returns or raises")

    def _timeout(self) -> float:
        return remaining(self._call_seconds_max)


def _is_under_way(error: Exception) -> bool:
    return isinstance(error, grpc.aio.AioRpcError) and error.code() is grpc.StatusCode.ABORTED
