"""What the use cases need of the world, said by themselves; `repository/` provides it over Postgres."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from services.loms.domain.ids import OrderId, Sku, UserId
from services.loms.domain.items import Item
from services.loms.domain.order import Order, StatusChange
from services.loms.domain.stock import Reservation, Stock
from services.loms.service.attempts import Answer, Attempt


class Conflict(Exception):
    """The database rolled the transaction back because of others: nothing happened, the same may be tried again."""


class Orders(Protocol):
    """The orders, inside a transaction."""

    async def add(self, user_id: UserId, items: Sequence[Item]) -> Order:
        """Write a new order with its items: status `new`, version 1."""
        ...

    async def lock(self, order_id: OrderId) -> Order:
        """Read an order and keep its row from others until the end; raise OrderNotFound."""
        ...

    async def read(self, order_id: OrderId) -> Order:
        """Read an order as committed; raise OrderNotFound."""
        ...

    async def save(self, order: Order) -> None:
        """Write the order's last move; raise Conflict if its row has another version than the move started from."""
        ...


class Stocks(Protocol):
    """The stock; items come in sku order, and rows are locked in that order."""

    async def reserve(self, items: Sequence[Item]) -> Reservation:
        """Reserve all items, or none of them."""
        ...

    async def sell(self, items: Sequence[Item]) -> None:
        """Take reserved pieces out of the stock."""
        ...

    async def release(self, items: Sequence[Item]) -> None:
        """Give reserved pieces back."""
        ...

    async def read(self, sku: Sku) -> Stock:
        """Read the stock of a sku as committed; raise SkuNotFound."""
        ...


class Events(Protocol):
    """What happened, on its way to the outside."""

    async def append(self, *changes: StatusChange) -> None:
        """Publish the changes if, and only if, the transaction commits. The last statement before it does."""
        ...


class Answers(Protocol):
    """The first answers to requests that carry an idempotency key."""

    async def find(self, attempt: Attempt) -> Answer | None:
        """Hold the key until the end and return its answer, if there is one already.

        Raises RequestInProgress, at once, while another transaction holds the key, and IdempotencyKeyReused if the
        answer was to another body.
        """
        ...

    async def keep(self, attempt: Attempt, answer: Answer) -> None:
        """Keep the answer with the change it is about."""
        ...


class Transaction(Protocol):
    """One transaction: all of it is committed at the end of the block, or none."""

    @property
    def orders(self) -> Orders:
        """The orders."""
        ...

    @property
    def stocks(self) -> Stocks:
        """The stock."""
        ...

    @property
    def events(self) -> Events:
        """The events."""
        ...

    @property
    def answers(self) -> Answers:
        """The answers to repeated requests."""
        ...


class UnitOfWork(Protocol):
    """Opens transactions."""

    def __call__(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction; leaving the block commits, an exception rolls back. May raise Conflict."""
        ...

    def reading(self) -> AbstractAsyncContextManager[Transaction]:
        """Lend the same for single reading statements, without a transaction around them."""
        ...
