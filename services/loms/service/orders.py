"""The use cases of an order: read, decide, write.

Each write is one statement and one transaction: the change, its stock, its events and the answer to its key, or
nothing. It holds only if what was read still stands; otherwise the use case runs again. No lock is held meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from services.loms.domain.ids import OrderId, UserId
from services.loms.domain.items import Item, summed
from services.loms.domain.order import Order, Status, placement
from services.loms.service.attempts import Answer, Attempt
from services.loms.service.ports import AlreadyPlaced, Transaction, UnitOfWork
from services.loms.service.repeat import repeated


class OrderService:
    """Places, reads, pays and cancels orders. A repeated attempt gets the first answer again.

    Each call with an attempt raises IdempotencyKeyReused and RequestInProgress; then nothing happened.
    """

    def __init__(self, *, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    async def create(self, user_id: UserId, lines: Sequence[Item], attempt: Attempt | None = None) -> Answer:
        """Record an order and reserve all its items, or record it as failed with no stock changed.

        Both outcomes are durable and published; a failed one names the skus it is short of. Raises CountTooLarge.
        """
        return await self._placed(_Draft(user_id, summed(lines)), attempt)

    @repeated
    async def info(self, order_id: OrderId) -> Order:
        """Read an order; raise OrderNotFound."""
        async with self._unit_of_work.statements() as tx:
            return await tx.orders.read(order_id)

    @repeated
    async def pay(self, order_id: OrderId, attempt: Attempt | None = None) -> Answer:
        """Take the order's items out of the stock; nothing happens if it is paid. Raises IllegalTransition."""
        async with self._unit_of_work.statements() as tx:
            order = await tx.orders.read(order_id)
            if attempt and (first := await tx.answers.first(attempt)):
                return first
            change = order.pay(at=order.locked_at)
            if change is None:
                return await _unchanged(tx, order, attempt)
            await tx.orders.sell(order, change, attempt)
            return Answer(order.id)

    @repeated
    async def cancel(self, order_id: OrderId, attempt: Attempt | None = None) -> Answer:
        """Give the order's items back; nothing happens if it is cancelled. Raises IllegalTransition."""
        async with self._unit_of_work.statements() as tx:
            order = await tx.orders.read(order_id)
            if attempt and (first := await tx.answers.first(attempt)):
                return first
            change = order.cancel(at=order.locked_at)
            if change is None:
                return await _unchanged(tx, order, attempt)
            await tx.orders.release(order, change, attempt)
            return Answer(order.id)

    @repeated
    async def _placed(self, draft: "_Draft", attempt: Attempt | None) -> Answer:
        """Place the order once, however often this runs: a second time its id is taken."""
        try:
            async with self._unit_of_work.statements() as tx:
                if attempt and (first := await tx.answers.first(attempt)):
                    return first
                order = await draft.drawn(tx)
                short = await tx.orders.place(placement(order), attempt)
                return Answer(order.id, failed=bool(short), short=short)
        except AlreadyPlaced:
            return draft.outcome(await self.info(draft.order_id))


@dataclass(slots=True)
class _Draft:
    """An order to be. Its id is drawn once, however often placing it is tried: so it finds out about a lost attempt."""

    user_id: UserId
    items: tuple[Item, ...]
    order: Order | None = None

    @property
    def order_id(self) -> OrderId:
        """The id, once it is drawn."""
        assert self.order is not None  # noqa: S101 - for the type checker: nothing is placed before
        return self.order.id

    async def drawn(self, tx: Transaction) -> Order:
        """The new order, drawn at the first call."""
        if self.order is None:
            self.order = await tx.orders.draw(self.user_id, self.items)
        return self.order

    def outcome(self, placed: Order) -> Answer:
        """What became of a lost attempt. Somebody else's order under our id is an error of ours."""
        if (placed.user_id, placed.items) != (self.user_id, self.items):
            raise AlreadyPlaced(placed.id)
        return Answer(placed.id, failed=placed.status is Status.FAILED)


async def _unchanged(tx: Transaction, order: Order, attempt: Attempt | None) -> Answer:
    answer = Answer(order.id)
    if attempt:
        await tx.answers.keep(attempt, answer)
    return answer
