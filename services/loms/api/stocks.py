"""StocksInfo over gRPC."""

from rpc.loms.v1 import loms_pb2 as pb
from services.loms.domain.ids import Sku
from services.loms.domain.items import COUNT_MAX
from services.loms.service.stocks import StockService


class StocksApi:
    """The calls about stock."""

    def __init__(self, *, stocks: StockService) -> None:
        self._stocks = stocks

    async def info(self, request: pb.StocksInfoRequest) -> pb.StocksInfoResponse:
        """Say how many pieces can be ordered, as far as a count can say it."""
        available = await self._stocks.available(Sku(request.sku))
        return pb.StocksInfoResponse(count=min(available, COUNT_MAX))
