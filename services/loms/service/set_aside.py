"""Orders that could not be cancelled: left alone for a while, longer after each failure. Pure; time comes in."""

from collections.abc import Collection
from dataclasses import dataclass

from services.loms.domain.ids import OrderId

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 60.0
ORDERS_MAX = 1_000
"""How many are remembered; beyond that the earliest is forgotten, and simply tried again."""


@dataclass(slots=True)
class _Rest:
    failures: int
    until: float


class SetAside:
    """Remembers which orders rest, and until when, in seconds of any steady clock."""

    def __init__(self) -> None:
        self._rests: dict[OrderId, _Rest] = {}

    def put(self, order_id: OrderId, now: float) -> float:
        """Let an order rest; return for how many seconds: twice as long each time it fails."""
        earlier = self._rests.pop(order_id, None)
        failures = earlier.failures + 1 if earlier else 1
        seconds = min(FIRST_SECONDS * 2.0 ** min(failures - 1, 16), LONGEST_SECONDS)
        self._rests[order_id] = _Rest(failures, now + seconds)
        if len(self._rests) > ORDERS_MAX:
            del self._rests[next(iter(self._rests))]
        return seconds

    def forget(self, order_id: OrderId) -> None:
        """Think of an order no more: it is settled."""
        self._rests.pop(order_id, None)

    def at(self, now: float) -> Collection[OrderId]:
        """Return the orders that rest at this time."""
        return [order_id for order_id, rest in self._rests.items() if rest.until > now]
