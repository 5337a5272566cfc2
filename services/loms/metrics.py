"""Every series of this service, with its meaning."""

from prometheus_client import Counter, Gauge

EXPIRED = Counter(
    "loms_expired_orders_total",
    "Orders this replica's expirer cancelled because they stayed unpaid too long.",
)
EXPIRY_FAILURES = Counter(
    "loms_expiry_failures_total",
    "What the expirer tried in vain, by stage: look (nothing was found out), or order (it is tried again later).",
    ["stage"],
)
OLDEST_OVERDUE_SECONDS = Gauge(
    "loms_oldest_overdue_seconds",
    "How far the longest unpaid order was beyond its time at this replica's last look, by the database's clock; "
    "0: none was. Grows while expiry fails.",
)
