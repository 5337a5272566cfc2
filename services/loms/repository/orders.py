"""The orders' rows: each write is one statement, with the items, the stock, the events and the answer it belongs to."""

from collections.abc import Iterable, Sequence

from asyncpg import Record

from events.topics import ORDER_EVENTS
from services.loms.domain.errors import OrderNotFound, RequestInProgress
from services.loms.domain.ids import OrderId, Sku, UserId
from services.loms.domain.items import Item
from services.loms.domain.order import Order, Placement, Status, StatusChange
from services.loms.repository.answers import key_columns
from services.loms.repository.connection import Connection
from services.loms.repository.order_events import OrderEvents, body
from services.loms.repository.statements import statement
from services.loms.service.attempts import Attempt
from services.loms.service.ports import Conflict


class StockRowsMissing(Exception):
    """Stock rows that an order holds pieces of are gone: somebody deleted them."""

    def __init__(self, order_id: OrderId) -> None:
        super().__init__(f"order {order_id} holds pieces of a sku that has no stock row")
        self.order_id = order_id


class Orders:
    """The port `Orders` over one connection.

    Args:
        connection: runs the statements, in a transaction or each as its own.
        events: makes the events of the changes.
    """

    def __init__(self, connection: Connection, *, events: OrderEvents) -> None:
        self._connection = connection
        self._events = events
        self.published = False

    async def draw(self, user_id: UserId, items: Sequence[Item]) -> Order:
        """Take the next id and the database's clock."""
        row = await self._connection.fetchrow(statement("draw_order"))
        assert row is not None  # noqa: S101 - for the type checker: a select without a table returns a row
        order_id, moment = row
        return Order(
            id=order_id,
            user_id=user_id,
            items=tuple(items),
            status=Status.NEW,
            version=1,
            changed_at=moment,
            locked_at=moment,
        )

    async def place(self, placement: Placement, attempt: Attempt | None) -> Sequence[Sku]:
        """Write a drawn order and what stock makes of it."""
        row = await self._connection.fetchrow(
            statement("place_order"), *self._placing(placement), *key_columns(attempt)
        )
        assert row is not None  # noqa: S101 - for the type checker: the function returns a row
        in_progress, short = row
        if in_progress and attempt:
            raise RequestInProgress(attempt.key)
        self.published = True
        return tuple(short)

    async def read(self, order_id: OrderId) -> Order:
        """Read an order as committed."""
        return await self._one("read_order", order_id)

    async def lock(self, order_id: OrderId) -> Order:
        """Read an order and keep its row until the end of the transaction."""
        return await self._one("lock_order", order_id)

    async def sell(self, order: Order, change: StatusChange, attempt: Attempt | None = None) -> None:
        """Move an order; its pieces leave the stock."""
        await self._move(order, change, attempt, sold=1)

    async def release(self, order: Order, change: StatusChange, attempt: Attempt | None = None) -> None:
        """Move an order; its pieces can be ordered again."""
        await self._move(order, change, attempt, sold=0)

    async def _move(self, order: Order, change: StatusChange, attempt: Attempt | None, *, sold: int) -> None:
        row = await self._connection.fetchrow(
            statement("move_order"), *self._moving(order, change, sold), *key_columns(attempt)
        )
        assert row is not None  # noqa: S101 - for the type checker: a select without a table returns a row
        free, held, moved = row
        if attempt and not free:
            raise RequestInProgress(attempt.key)
        if not held:
            raise Conflict(f"order {order.id} no longer has version {change.version - 1}")
        if not moved:
            raise StockRowsMissing(order.id)
        self.published = True

    def _placing(self, placement: Placement) -> Iterable[object]:
        created, reserved, short = placement.created, placement.if_reserved, placement.if_short
        return (
            *(created.order_id, created.at, created.user_id, *_columns(placement.items)),
            *(ORDER_EVENTS, self._events.headers(created)),
            *(self._events.new_id(), *body(created)),
            *(self._events.new_id(), reserved.at),
            *(reserved.status, *body(reserved)),
            *(short.status, *body(short)),
        )

    def _moving(self, order: Order, change: StatusChange, sold: int) -> Iterable[object]:
        event_type, event_body = body(change)
        return (
            *(change.order_id, change.version, change.status, change.at, *_columns(order.items), sold),
            *(ORDER_EVENTS, self._events.new_id(), event_type, self._events.headers(change), event_body),
        )

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


def _columns(items: Sequence[Item]) -> tuple[list[int], list[int]]:
    """Return the items as two columns, skus and counts: what `unnest` takes."""
    return [item.sku for item in items], [item.count for item in items]
