"""The calls about orders over gRPC: parse, call, answer."""

from typing import TYPE_CHECKING

from rpc.loms.v1 import loms_pb2 as pb
from services.loms.api.attempts import attempt_of, mark
from services.loms.domain.errors import OutOfStock
from services.loms.domain.ids import OrderId, Sku, UserId
from services.loms.domain.items import Item
from services.loms.service.orders import OrderService

if TYPE_CHECKING:
    from services.loms.api.attempts import Context


class OrdersApi:
    """The calls about orders."""

    def __init__(self, *, orders: OrderService) -> None:
        self._orders = orders

    async def create(self, request: pb.OrderCreateRequest, context: "Context") -> pb.OrderCreateResponse:
        """Place an order; a failed one is refused as OutOfStock although it is recorded."""
        lines = [Item(Sku(item.sku), item.count) for item in request.items]
        attempt = attempt_of(request, context, scope="user", owner=request.user_id)
        answer = await self._orders.create(UserId(request.user_id), lines, attempt)
        await mark(answer, context)
        if answer.failed:
            raise OutOfStock(answer.order_id, answer.short)
        return pb.OrderCreateResponse(order_id=answer.order_id)

    async def info(self, request: pb.OrderInfoRequest) -> pb.OrderInfoResponse:
        """Read an order."""
        order = await self._orders.info(OrderId(request.order_id))
        return pb.OrderInfoResponse(
            status=order.status,
            user_id=order.user_id,
            items=[pb.Item(sku=item.sku, count=item.count) for item in order.items],
        )

    async def pay(self, request: pb.OrderPayRequest, context: "Context") -> pb.OrderPayResponse:
        """Pay an order."""
        attempt = attempt_of(request, context, scope="order", owner=request.order_id)
        answer = await self._orders.pay(OrderId(request.order_id), attempt)
        await mark(answer, context)
        return pb.OrderPayResponse()

    async def cancel(self, request: pb.OrderCancelRequest, context: "Context") -> pb.OrderCancelResponse:
        """Cancel an order."""
        attempt = attempt_of(request, context, scope="order", owner=request.order_id)
        answer = await self._orders.cancel(OrderId(request.order_id), attempt)
        await mark(answer, context)
        return pb.OrderCancelResponse()
