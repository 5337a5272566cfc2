"""What the use cases need of the world, said by themselves; `repository/` provides it over Postgres.

A write ends in one of three ways: it is done, it is refused, or nobody knows. What a port raises says which:
`Conflict` and `DatabaseAway` mean that nothing happened, `OutcomeUnknown` that it may have. Anything else that is no
refusal of the domain is an error of ours: the database said no, and would say it again.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Protocol

from services.loms.domain.ids import OrderId, Sku, UserId
from services.loms.domain.items import Item
from services.loms.domain.order import Order, Placement, StatusChange
from services.loms.domain.stock import Stock
from services.loms.service.attempts import Answer, Attempt


class Conflict(Exception):
    """Others were faster, or the database chose us to give way: nothing happened, the same may be tried again."""


class DatabaseAway(Exception):
    """No connection could be made: nothing happened, the same may be tried again in a while."""


class OutcomeUnknown(Exception):
    """The connection was lost in the middle: what was asked for has happened, or will, or never will."""


class AlreadyPlaced(Exception):
    """There is an order of this id: an earlier attempt to place it has succeeded after all."""


class Orders(Protocol):
    """The orders. Each write is one statement: all of it happens, or nothing."""

    async def draw(self, user_id: UserId, items: Sequence[Item]) -> Order:
        """Return a new order under an id nobody else gets; nothing is written yet."""
        ...

    async def place(self, placement: Placement, attempt: Attempt | None) -> Sequence[Sku]:
        """Write a drawn order, reserve its items or none of them, and publish; return the skus it is short of.

        The answer to the attempt is kept with it. Raises AlreadyPlaced, RequestInProgress; Conflict if the attempt has
        been answered meanwhile.
        """
        ...

    async def read(self, order_id: OrderId) -> Order:
        """Read an order as committed; raise OrderNotFound."""
        ...

    async def lock(self, order_id: OrderId) -> Order:
        """Read an order and keep its row from others until the transaction ends; raise OrderNotFound."""
        ...

    async def sell(self, order: Order, change: StatusChange, attempt: Attempt | None = None) -> None:
        """Write and publish the change, and take the order's pieces out of the stock.

        The answer to the attempt is kept with it. Raises RequestInProgress; Conflict if the order is no longer as it
        was read, or if the attempt has been answered meanwhile.
        """
        ...

    async def release(self, order: Order, change: StatusChange, attempt: Attempt | None = None) -> None:
        """Write and publish the change, and give the order's pieces back; raises as `sell` does."""
        ...


class Stocks(Protocol):
    """The stock."""

    async def read(self, sku: Sku) -> Stock:
        """Read the stock of a sku as committed; raise SkuNotFound."""
        ...


class Answers(Protocol):
    """The first answers to requests that carry an idempotency key."""

    async def first(self, attempt: Attempt) -> Answer | None:
        """Return the answer to an earlier attempt with this key; raise IdempotencyKeyReused if its body was another."""
        ...

    async def keep(self, attempt: Attempt, answer: Answer) -> None:
        """Keep the answer to an attempt that changed nothing; raise Conflict if there is one meanwhile."""
        ...

    async def forget(self, age: timedelta, *, answers_max: int) -> int:
        """Delete some of the answers older than this, the oldest first; return how many."""
        ...


class Transaction(Protocol):
    """What can be asked of the database."""

    @property
    def orders(self) -> Orders:
        """The orders."""
        ...

    @property
    def stocks(self) -> Stocks:
        """The stock."""
        ...

    @property
    def answers(self) -> Answers:
        """The answers to repeated requests."""
        ...


class UnitOfWork(Protocol):
    """Lends the database. Whatever is published is on its way when a block ends."""

    def __call__(self) -> AbstractAsyncContextManager[Transaction]:
        """Open one transaction: leaving the block commits, an exception rolls back."""
        ...

    def statements(self) -> AbstractAsyncContextManager[Transaction]:
        """Lend the same with each statement a transaction of its own: no lock outlives a statement."""
        ...
