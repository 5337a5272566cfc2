"""An order as the ledger knows it: what happened to it, in the order it happened."""

from dataclasses import dataclass
from datetime import datetime

from services.notification.domain.change import Status
from services.notification.domain.lane import Moment

CANCELLABLE = frozenset({Status.NEW, Status.AWAITING_PAYMENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One order's statuses by version. `items` counts pieces, None when nobody said."""

    order_id: int
    version: int
    items: int | None
    moments: tuple[Moment, ...]

    @property
    def status(self) -> Status:
        """Where the order stands."""
        return self.moments[-1].status

    @property
    def cancellable(self) -> bool:
        """Whether its owner may still cancel it."""
        return self.status in CANCELLABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """One line of a list of orders."""

    order_id: int
    status: Status
    items: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Quiet:
    """Until when nothing makes a sound; None: until somebody says otherwise. `order_id` None: everything."""

    order_id: int | None
    until: datetime | None
