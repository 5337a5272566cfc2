"""ListOrders over gRPC: parse, call, answer."""

from collections.abc import Mapping

from google.protobuf.timestamp_pb2 import Timestamp

from rpc.loms.v1 import loms_pb2 as pb
from services.loms.api import page_token
from services.loms.domain.ids import UserId
from services.loms.domain.order import Status
from services.loms.service.listing import Filter, ListedOrder, ListingService

PAGE_SIZE = 50
"""How many orders a page has when the caller names no number."""

_ALSO_UNDERSTOOD: Mapping[str, Status] = {"payed": Status.PAID, "canceled": Status.CANCELLED}


class ListingApi:
    """The call that lists orders."""

    def __init__(self, *, listing: ListingService) -> None:
        self._listing = listing

    async def list(self, request: pb.ListOrdersRequest) -> pb.ListOrdersResponse:
        """Return a page of orders. Raises BadPageToken."""
        wanted = _filter_of(request)
        below = page_token.decoded(request.page_token, wanted)
        page = await self._listing.page(wanted, below=below, size=request.page_size or PAGE_SIZE)
        return pb.ListOrdersResponse(
            orders=map(_shown, page.orders), next_page_token=page_token.encoded(page.next_below, wanted)
        )


def _filter_of(request: pb.ListOrdersRequest) -> Filter:
    status = request.status
    return Filter(
        user_id=UserId(request.user_id) if request.HasField("user_id") else None,
        status=_ALSO_UNDERSTOOD.get(status) or Status(status) if status else None,
    )


def _shown(order: ListedOrder) -> pb.ListedOrder:
    created_at = Timestamp()
    created_at.FromDatetime(order.created_at)
    return pb.ListedOrder(
        order_id=order.id,
        status=order.status,
        user_id=order.user_id,
        items=[pb.Item(sku=item.sku, count=item.count) for item in order.items],
        created_at=created_at,
    )
