"""The orders' rows and their items."""

from collections.abc import Sequence

from asyncpg import Record

from services.loms.domain.errors import OrderNotFound
from services.loms.domain.ids import OrderId, Sku, UserId
from services.loms.domain.items import Item
from services.loms.domain.order import Order, Status
from services.loms.repository.connection import Connection
from services.loms.repository.statements import statement
from services.loms.repository.stocks import columns
from services.loms.service.ports import Conflict


class Orders:
    """The port `Orders` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, user_id: UserId, items: Sequence[Item]) -> Order:
        """Write a new order and its items in one statement."""
        row = await self._connection.fetchrow(statement("add_order"), user_id, *columns(items))
        assert row is not None  # noqa: S101 - for the type checker: an insert returns its row
        return Order(
            id=row["order_id"],
            user_id=user_id,
            items=tuple(items),
            status=Status.NEW,
            version=1,
            changed_at=row["created_at"],
            locked_at=row["created_at"],
        )

    async def lock(self, order_id: OrderId) -> Order:
        """Read an order and keep its row until the end of the transaction."""
        return await self._one("lock_order", order_id)

    async def read(self, order_id: OrderId) -> Order:
        """Read an order as committed."""
        return await self._one("read_order", order_id)

    async def save(self, order: Order) -> None:
        """Write the last move of an order."""
        saved = await self._connection.fetchval(
            statement("save_order"), order.id, order.status, order.version, order.changed_at
        )
        if saved is None:
            raise Conflict(f"order {order.id} no longer has version {order.version - 1}")

    async def _one(self, name: str, order_id: OrderId) -> Order:
        row = await self._connection.fetchrow(statement(name), order_id)
        if row is None:
            raise OrderNotFound(order_id)
        return _order(row)


def _order(row: Record) -> Order:
    pairs = zip(row["skus"], row["counts"], strict=True)
    return Order(
        id=row["order_id"],
        user_id=row["user_id"],
        items=tuple(Item(Sku(sku), count) for sku, count in pairs),
        status=Status(row["status"]),
        version=row["version"],
        changed_at=row["changed_at"],
        locked_at=row["locked_at"],
    )
