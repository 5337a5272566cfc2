"""An order and the moves of its status.

An order moves only along `ALLOWED`, one version a move: 1 is `new`, then 2, 3 … without a gap. A move yields the
`StatusChange` that is stored and published with it; asking for the status it already has yields nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from services.loms.domain.errors import IllegalTransition
from services.loms.domain.ids import OrderId, UserId
from services.loms.domain.items import Item


class Status(StrEnum):
    """The statuses, as written on the wire and in the database."""

    NEW = "new"
    AWAITING_PAYMENT = "awaiting payment"
    FAILED = "failed"
    PAID = "paid"
    CANCELLED = "cancelled"


ALLOWED: Mapping[Status, frozenset[Status]] = {
    Status.NEW: frozenset({Status.AWAITING_PAYMENT, Status.FAILED}),
    Status.AWAITING_PAYMENT: frozenset({Status.PAID, Status.CANCELLED}),
}
"""Every move there is; a status that is no key here is final."""

INSTANT = timedelta(microseconds=1)
"""How long an order is `new`: who sorts by moment finds its first two statuses in their order."""


@dataclass(frozen=True, slots=True)
class StatusChange:
    """One step of an order: the fact that is stored and published in one transaction."""

    order_id: OrderId
    user_id: UserId
    item_count: int
    status: Status
    version: int
    at: datetime


@dataclass(slots=True, kw_only=True)
class Order:
    """An order as its row says it.

    Attributes:
        items: each sku once, ascending; never changes.
        version: the number of statuses it has had.
        changed_at: the database's clock at the last move.
        locked_at: the database's clock when it was read: the moment of the next move, which is later than the last one.
    """

    id: OrderId
    user_id: UserId
    items: tuple[Item, ...]
    status: Status
    version: int
    changed_at: datetime
    locked_at: datetime

    def created(self) -> StatusChange:
        """Return the first fact of an order that was just added."""
        return self._fact()

    def settle(self, *, reserved: bool, at: datetime) -> StatusChange:
        """Await payment if everything is reserved; fail otherwise."""
        return self._move(Status.AWAITING_PAYMENT if reserved else Status.FAILED, at)

    def pay(self, *, at: datetime) -> StatusChange | None:
        """Become paid; None if it already is. Raises IllegalTransition from any status but `awaiting payment`."""
        return self._move_once(Status.PAID, at)

    def cancel(self, *, at: datetime) -> StatusChange | None:
        """Become cancelled; None if it already is. Raises IllegalTransition from any status but `awaiting payment`."""
        return self._move_once(Status.CANCELLED, at)

    def _move_once(self, wanted: Status, at: datetime) -> StatusChange | None:
        if self.status is wanted:
            return None
        return self._move(wanted, at)

    def _move(self, wanted: Status, at: datetime) -> StatusChange:
        if wanted not in ALLOWED.get(self.status, frozenset()):
            raise IllegalTransition(self.id, self.status, wanted)
        self.status = wanted
        self.version += 1
        self.changed_at = at
        return self._fact()

    def _fact(self) -> StatusChange:
        return StatusChange(
            order_id=self.id,
            user_id=self.user_id,
            item_count=sum(item.count for item in self.items),
            status=self.status,
            version=self.version,
            at=self.changed_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """All that can become of a new order in the moment it is placed; which of the last two it is, stock decides."""

    items: tuple[Item, ...]
    created: StatusChange
    if_reserved: StatusChange
    if_short: StatusChange


def placement(order: Order) -> Placement:
    """Return what is to be written of an order that is `new` and not written yet."""
    soon = order.changed_at + INSTANT
    return Placement(
        items=order.items,
        created=order.created(),
        if_reserved=replace(order).settle(reserved=True, at=soon),
        if_short=replace(order).settle(reserved=False, at=soon),
    )
