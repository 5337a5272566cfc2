"""The gRPC face of LOMS: one method a call, each handed to the calls about orders or stock."""

from typing import TYPE_CHECKING

from rpc.loms.v1 import loms_pb2 as pb
from rpc.loms.v1 import loms_pb2_grpc
from services.loms.api.listing import ListingApi
from services.loms.api.orders import OrdersApi
from services.loms.api.stocks import StocksApi

if TYPE_CHECKING:
    from services.loms.api.attempts import Context

SERVICE = pb.DESCRIPTOR.services_by_name["LomsService"].full_name


class LomsServicer(loms_pb2_grpc.LomsServiceServicer):
    """Implements `rpc.loms.v1.LomsService`; requests arrive here validated, refusals leave here as exceptions."""

    def __init__(self, *, orders: OrdersApi, listing: ListingApi, stocks: StocksApi) -> None:
        self._orders = orders
        self._listing = listing
        self._stocks = stocks

    async def OrderCreate(  # noqa: N802 - named by the .proto
        self, request: pb.OrderCreateRequest, context: "Context"
    ) -> pb.OrderCreateResponse:
        """Place an order."""
        return await self._orders.create(request, context)

    async def OrderInfo(  # noqa: N802 - named by the .proto
        self, request: pb.OrderInfoRequest, _context: "Context"
    ) -> pb.OrderInfoResponse:
        """Read an order."""
        return await self._orders.info(request)

    async def ListOrders(  # noqa: N802 - named by the .proto
        self, request: pb.ListOrdersRequest, _context: "Context"
    ) -> pb.ListOrdersResponse:
        """List orders, newest first."""
        return await self._listing.list(request)

    async def OrderPay(  # noqa: N802 - named by the .proto
        self, request: pb.OrderPayRequest, context: "Context"
    ) -> pb.OrderPayResponse:
        """Pay an order."""
        return await self._orders.pay(request, context)

    async def OrderCancel(  # noqa: N802 - named by the .proto
        self, request: pb.OrderCancelRequest, context: "Context"
    ) -> pb.OrderCancelResponse:
        """Cancel an order."""
        return await self._orders.cancel(request, context)

    async def StocksInfo(  # noqa: N802 - named by the .proto
        self, request: pb.StocksInfoRequest, _context: "Context"
    ) -> pb.StocksInfoResponse:
        """Say how many pieces of a sku can be ordered."""
        return await self._stocks.info(request)
