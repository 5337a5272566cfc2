"""Every series of the projection, with its meaning."""

from prometheus_client import Counter, Gauge

EVENTS = Counter(
    "projection_events_total",
    "Records read, by what became of them: applied, void (withdrawn by an operator), or dead (set aside).",
    ["outcome"],
)
ORDERS = Gauge(
    "projection_orders",
    "Orders by their present status.",
    ["status"],
)
ORDERS_PER_MINUTE = Gauge(
    "projection_orders_per_minute",
    "Orders created per minute, over the last minutes given.",
    ["minutes"],
)
SECONDS_TO_PAID = Gauge(
    "projection_seconds_to_paid",
    "Mean time from an order's first event to its payment, of those paid in the last minutes given, in seconds.",
    ["minutes"],
)
RECORDS_MISSING = Gauge(
    "projection_records_missing",
    "Records that were there at the start and are still to be read; 0: the view is whole.",
)
FAILURE_SHARE = Gauge(
    "projection_failure_share",
    "Share of failed orders among those created in the last minutes given.",
    ["minutes"],
)
