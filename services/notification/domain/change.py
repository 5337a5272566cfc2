"""A status change of an order, as this service understands it."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID


class Status(StrEnum):
    """The statuses of an order, in the words of the public language."""

    NEW = "new"
    AWAITING_PAYMENT = "awaiting payment"
    PAID = "paid"
    FAILED = "failed"
    CANCELLED = "cancelled"


AUDIBLE = frozenset({Status.PAID, Status.FAILED, Status.CANCELLED})
"""What a person must hear, not only find on the card."""


class StatusChange(NamedTuple):
    """One step between two statuses; `version` is dense per order. `items` counts pieces, None when nobody said."""

    order_id: int
    version: int
    user_id: int
    status: Status
    items: int | None
    moment: datetime
    event_id: UUID
    traceparent: str | None

    @property
    def audible(self) -> bool:
        """Whether an alert goes out beside the card."""
        return self.status in AUDIBLE
