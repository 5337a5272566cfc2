"""The expirer: an order that stays unpaid too long is cancelled, its stock returned and the event published.

Invariants: an order's time is judged by the database's clock under the order's lock, so none is cancelled early and
none after it was paid; each order is a transaction of its own; nothing that fails ends the loop, and an order that
fails does not stand in the way of others. Replicas need not know of each other: what one has claimed, the others pass.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Protocol

from chassis.logs import get_logger
from services.loms import metrics
from services.loms.domain.ids import OrderId
from services.loms.service.ports import Transaction
from services.loms.service.repeat import repeated
from services.loms.service.set_aside import SetAside

log = get_logger()


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found.

    Attributes:
        order_ids: overdue orders, the longest unpaid first.
        beyond_seconds: how far the longest unpaid order of all is beyond its time; 0 if none is.
    """

    order_ids: Sequence[OrderId]
    beyond_seconds: float


class OverdueOrders(Protocol):
    """The orders that have been unpaid for too long, by the database's clock."""

    async def look(self, unpaid: timedelta, *, orders_max: int, besides: Collection[OrderId]) -> Look:
        """Find some, leaving out those of `besides`; locks nothing."""
        ...

    def claimed(self, order_id: OrderId, unpaid: timedelta) -> AbstractAsyncContextManager[Transaction | None]:
        """Open a transaction that holds the order; None if it is no longer overdue or somebody else holds it.

        Never waits for a lock on it. Leaving the block commits, an exception rolls back. May raise Conflict.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How eagerly a replica works.

    Attributes:
        look_seconds: the pause between two looks, half of it more or less by chance: replicas do not march in step.
        batch_orders: how many orders one look brings at most.
        lanes: how many of them are worked on at once, each over a connection of the pool.
    """

    look_seconds: float = 0.5
    batch_orders: int = 64
    lanes: int = 4


class Expirer:
    """A loop that cancels what is overdue; any number of replicas may run one.

    Args:
        overdue: finds and claims.
        unpaid: how long an order may await payment.
        chance: for the pauses and for the order in which a batch is worked off.
        pace: how eagerly.
    """

    def __init__(self, *, overdue: OverdueOrders, unpaid: timedelta, chance: Random, pace: Pace | None = None) -> None:
        self._overdue = overdue
        self._unpaid = unpaid
        self._chance = chance
        self._pace = pace or Pace()
        self._set_aside = SetAside()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Look, cancel, pause, until asked to stop."""
        while not self._stopping.is_set():
            if not await self.turn():
                await self._pause()

    def request_stop(self) -> None:
        """Let `run` return once the orders at hand are done."""
        self._stopping.set()

    async def turn(self) -> bool:
        """Cancel a batch of what is overdue now; return whether there is more to do at once."""
        look = await self._look()
        if look is None:
            return False
        waiting = deque(self._chance.sample(look.order_ids, len(look.order_ids)))
        async with asyncio.TaskGroup() as lanes:
            running = [lanes.create_task(self._lane(waiting)) for _ in range(min(self._pace.lanes, len(waiting)))]
        return len(look.order_ids) == self._pace.batch_orders and all(lane.result() for lane in running)

    async def _look(self) -> Look | None:
        besides = self._set_aside.at(asyncio.get_running_loop().time())
        try:
            look = await self._overdue.look(self._unpaid, orders_max=self._pace.batch_orders, besides=besides)
        except Exception:
            # a supervised boundary: the database may be away, and comes back
            metrics.EXPIRY_FAILURES.labels("look").inc()
            log.exception("expirer.look_failed")
            return None
        metrics.OLDEST_OVERDUE_SECONDS.set(look.beyond_seconds)
        return look

    async def _lane(self, waiting: deque[OrderId]) -> bool:
        """Work off what is waiting, beside other lanes; return False at a failure, so that a turn meets only a few."""
        while waiting and not self._stopping.is_set():
            if not await self._settle(waiting.popleft()):
                return False
        return True

    async def _settle(self, order_id: OrderId) -> bool:
        """Cancel an order, or set it aside; return False if that failed."""
        try:
            expired = await self._expire(order_id)
        except Exception:
            # a supervised boundary: one order that cannot be cancelled must not keep the others from it
            metrics.EXPIRY_FAILURES.labels("order").inc()
            retry_seconds = self._set_aside.put(order_id, asyncio.get_running_loop().time())
            log.exception("expirer.order_failed", order_id=order_id, retry_seconds=retry_seconds)
            return False
        self._set_aside.forget(order_id)
        if expired:
            metrics.EXPIRED.inc()
            log.info("expirer.order_expired", order_id=order_id)
        return True

    @repeated
    async def _expire(self, order_id: OrderId) -> bool:
        async with self._overdue.claimed(order_id, self._unpaid) as tx:
            if tx is None:
                return False
            order = await tx.orders.lock(order_id)
            change = order.cancel(at=order.locked_at)
            assert change is not None  # noqa: S101 - for the type checker: what is claimed awaits payment
            await tx.orders.release(order, change)
        return True

    async def _pause(self) -> None:
        seconds = self._pace.look_seconds * self._chance.uniform(0.5, 1.5)
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
