"""The projection: a view of each order and the figures over all of them. It changes nothing outside itself."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from chassis.clock import Clock, SystemClock
from services.projection.domain.figures import Figures, Minutes
from services.projection.domain.view import OrderView, StatusChange, advanced


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a partition held when reading began: the offset of its first record, and the one after its last."""

    first: int
    end: int


class Projection:
    """Applies events and answers questions. It is whole once it has passed all that was there when it began."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self.begin({})

    def begin(self, stretches: Mapping[int, Stretch]) -> None:
        """Forget everything: records will come from these, by partition, the first of each first."""
        self._views: dict[int, OrderView] = {}
        self._minutes, self._statuses = Minutes(now=self._clock.now), Counter[str]()
        self._missing = {partition: each for partition, each in stretches.items() if each.first < each.end}

    @property
    def records_missing(self) -> int:
        """How many records of those are still to be passed; 0: the view is whole."""
        return sum(each.end - each.first for each in self._missing.values())

    def passed(self, partition: int, offset: int) -> None:
        """Note that a record is dealt with, whatever it was."""
        stretch = self._missing.get(partition)
        if stretch is not None:
            self._missing[partition] = Stretch(offset + 1, stretch.end)
            if offset + 1 >= stretch.end:
                del self._missing[partition]

    def apply(self, change: StatusChange) -> None:
        """Bring an order's view up to an event; a repeat changes nothing."""
        before = self._views.get(change.order_id)
        after = advanced(before, change)
        if after != before:
            self._views[change.order_id] = after
            self._count(before, after)

    def order(self, order_id: int) -> OrderView | None:
        """Return the view of an order, None if nobody has heard of it."""
        return self._views.get(order_id)

    def statuses(self) -> Mapping[str, int]:
        """Return how many orders have each status now."""
        return dict(+self._statuses)

    def figures(self, *, until: datetime, minutes: int) -> Figures:
        """Return the figures of so many minutes."""
        return self._minutes.figures(until=until, minutes=minutes)

    def _count(self, before: OrderView | None, after: OrderView) -> None:
        self._minutes.replace(before, after)
        if before is not None:
            self._statuses[before.status] -= 1
        self._statuses[after.status] += 1
