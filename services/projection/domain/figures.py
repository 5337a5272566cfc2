"""Business figures of any stretch of whole minutes: a sum over the views, kept up to date view by view."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.projection.domain.view import Happening, OrderView, happenings

MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class _Minute:
    counts: dict[Happening, int] = field(default_factory=lambda: dict.fromkeys(Happening, 0))
    timed: int = 0
    seconds_to_paid: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What happened in a stretch of time.

    Attributes:
        minutes: how long it is.
        created, paid, failed, cancelled: orders to which that happened.
        orders_per_minute: created ones.
        seconds_to_paid: from an order's first event to its payment, the mean of those paid; None if none was.
        failure_share: failed ones of those created; None if none was created.
    """

    minutes: int
    created: int
    paid: int
    failed: int
    cancelled: int
    orders_per_minute: float
    seconds_to_paid: float | None
    failure_share: float | None


class Minutes:
    """The figures minute by minute. Those older than `kept` before the newest are forgotten.

    Where `now` says what time it is, a moment that is yet to come makes nothing older: one clock that is wrong must not
    empty the figures of the others.
    """

    def __init__(self, *, kept: timedelta = timedelta(days=1), now: Callable[[], datetime] | None = None) -> None:
        self._kept = kept
        self._now = now
        self._minutes: dict[datetime, _Minute] = defaultdict(_Minute)
        self._oldest: datetime | None = None

    def replace(self, before: OrderView | None, after: OrderView) -> None:
        """Count what the new state of an order says, and no longer what the former one said."""
        if before is not None:
            self._add(before, -1)
        self._add(after, 1)

    def figures(self, *, until: datetime, minutes: int) -> Figures:
        """Return the figures of the whole minutes before `until`, the one that runs included."""
        first = _minute_of(until) - (minutes - 1) * MINUTE
        stretch = [self._minutes[at] for at in list(self._minutes) if first <= at <= until]
        counts = {kind: sum(minute.counts[kind] for minute in stretch) for kind in Happening}
        timed = sum(minute.timed for minute in stretch)
        created = counts[Happening.CREATED]
        return Figures(
            minutes=minutes,
            created=created,
            paid=counts[Happening.PAID],
            failed=counts[Happening.FAILED],
            cancelled=counts[Happening.CANCELLED],
            orders_per_minute=created / minutes,
            seconds_to_paid=sum(minute.seconds_to_paid for minute in stretch) / timed if timed else None,
            failure_share=counts[Happening.FAILED] / created if created else None,
        )

    def _add(self, view: OrderView, sign: int) -> None:
        for kind, moment, waited in happenings(view):
            at = _minute_of(moment)
            if at < self._oldest_after(at):
                continue
            minute = self._minutes[at]
            minute.counts[kind] += sign
            if waited is not None:
                minute.timed += sign
                minute.seconds_to_paid += sign * waited.total_seconds()

    def _oldest_after(self, newest: datetime) -> datetime:
        """The oldest minute kept once there is this one; what is older now is forgotten."""
        oldest = (newest if self._now is None else min(newest, self._now())) - self._kept
        if self._oldest is None or oldest > self._oldest:
            self._oldest = oldest
            for at in [at for at in self._minutes if at < oldest]:
                del self._minutes[at]
        return self._oldest


def _minute_of(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)
