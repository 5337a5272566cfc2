"""The use cases of an order. Each is one transaction: the change, its stock and its events, or nothing."""

from collections.abc import Sequence

from services.loms.domain.ids import OrderId, UserId
from services.loms.domain.items import Item, summed
from services.loms.domain.order import Order
from services.loms.service.attempts import Answer, Attempt
from services.loms.service.ports import Transaction, UnitOfWork
from services.loms.service.repeat import repeated_on_conflict


class OrderService:
    """Places, reads, pays and cancels orders."""

    def __init__(self, *, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    @repeated_on_conflict
    async def create(self, user_id: UserId, lines: Sequence[Item], attempt: Attempt | None = None) -> Answer:
        """Record an order and reserve all its items, or record it as failed with no stock changed.

        Both outcomes are durable and published; a failed one names the skus it is short of. A repeated attempt gets the
        first answer again. Raises CountTooLarge, IdempotencyKeyReused, RequestInProgress; then nothing happened.
        """
        items = summed(lines)
        async with self._unit_of_work() as tx:
            if attempt and (first := await tx.answers.find(attempt)):
                return first
            return await self._place(tx, user_id, items, attempt)

    async def info(self, order_id: OrderId) -> Order:
        """Read an order; raise OrderNotFound."""
        async with self._unit_of_work.reading() as tx:
            return await tx.orders.read(order_id)

    @repeated_on_conflict
    async def pay(self, order_id: OrderId) -> None:
        """Take the order's items out of the stock; nothing happens if it is paid. Raises IllegalTransition."""
        async with self._unit_of_work() as tx:
            order = await tx.orders.lock(order_id)
            change = order.pay(at=order.locked_at)
            if change is None:
                return
            await tx.stocks.sell(order.items)
            await tx.orders.save(order)
            await tx.events.append(change)

    @repeated_on_conflict
    async def cancel(self, order_id: OrderId) -> None:
        """Give the order's items back; nothing happens if it is cancelled. Raises IllegalTransition."""
        async with self._unit_of_work() as tx:
            order = await tx.orders.lock(order_id)
            change = order.cancel(at=order.locked_at)
            if change is None:
                return
            await tx.stocks.release(order.items)
            await tx.orders.save(order)
            await tx.events.append(change)

    async def _place(self, tx: Transaction, user_id: UserId, items: Sequence[Item], attempt: Attempt | None) -> Answer:
        order = await tx.orders.add(user_id, items)
        created = order.created()
        reservation = await tx.stocks.reserve(order.items)
        settled = order.settle(reservation)
        answer = Answer(order.id, short=reservation.short)
        await tx.orders.save(order)
        if attempt:
            await tx.answers.keep(attempt, answer)
        await tx.events.append(created, settled)
        return answer
