"""The same view for Prometheus: gauges that are read from it whenever somebody asks."""

from collections.abc import Callable

from chassis.clock import Clock
from services.projection.metrics import (
    FAILURE_SHARE,
    ORDERS,
    ORDERS_PER_MINUTE,
    RECORDS_MISSING,
    SECONDS_TO_PAID,
)
from services.projection.service.projection import Projection

STATUSES = ("new", "awaiting payment", "paid", "failed", "cancelled")
STRETCHES = (1, 5, 60)
"""Minutes over which figures are published."""


def publish(projection: Projection, clock: Clock) -> None:
    """Let the gauges be read from the projection whenever somebody asks for them."""
    RECORDS_MISSING.set_function(lambda: projection.records_missing)
    for status in STATUSES:
        ORDERS.labels(status).set_function(_count_of(projection, status))
    for minutes in STRETCHES:
        for gauge, name in (
            (ORDERS_PER_MINUTE, "orders_per_minute"),
            (SECONDS_TO_PAID, "seconds_to_paid"),
            (FAILURE_SHARE, "failure_share"),
        ):
            gauge.labels(str(minutes)).set_function(_figure_of(projection, clock, minutes, name))


def _count_of(projection: Projection, status: str) -> Callable[[], float]:
    return lambda: projection.statuses().get(status, 0)


def _figure_of(projection: Projection, clock: Clock, minutes: int, name: str) -> Callable[[], float]:
    def figure() -> float:
        value = getattr(projection.figures(until=clock.now(), minutes=minutes), name)
        return float("nan") if value is None else float(value)

    return figure
