"""Pages of orders: a statement for each kind of filter, so that each has its index."""

from collections.abc import Sequence

from asyncpg import Record

from services.loms.domain.ids import OrderId, Sku, UserId
from services.loms.domain.items import Item
from services.loms.domain.order import Status
from services.loms.repository.statements import statement
from services.loms.repository.unit_of_work import Pool
from services.loms.service.listing import Filter, ListedOrder

_ABOVE_ALL = 2**63 - 1


class OrderPages:
    """The port `OrderPages` over a pool."""

    def __init__(self, *, pool: Pool) -> None:
        self._pool = pool

    async def newest(self, wanted: Filter, *, below: OrderId | None, orders_max: int) -> Sequence[ListedOrder]:
        """Read them in one statement."""
        name, by = _selection(wanted)
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(statement(name), below or _ABOVE_ALL, orders_max, *by)
        return [_listed(row) for row in rows]


def _selection(wanted: Filter) -> tuple[str, tuple[object, ...]]:
    match wanted:
        case Filter(user_id=None, status=None):
            return "list_orders", ()
        case Filter(user_id=user_id, status=None):
            return "list_orders_of_user", (user_id,)
        case Filter(user_id=None, status=status):
            return "list_orders_in_status", (status,)
        case _:
            return "list_orders_of_user_in_status", (wanted.user_id, wanted.status)


def _listed(row: Record) -> ListedOrder:
    pairs = zip(row["skus"], row["counts"], strict=True)
    return ListedOrder(
        id=OrderId(row["order_id"]),
        user_id=UserId(row["user_id"]),
        status=Status(row["status"]),
        items=tuple(Item(Sku(sku), count) for sku, count in pairs),
        created_at=row["created_at"],
    )
