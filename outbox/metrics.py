"""Every series of the outbox, with its meaning. Labels never hold keys, ids or users."""

from prometheus_client import Counter, Gauge, Histogram

_LATENCY_BUCKETS = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600)

COMMIT_TO_ACK_SECONDS = Histogram(
    "outbox_commit_to_ack_seconds",
    "From the row's occurred_at to the broker's acknowledgement, by the database's clock; a sample of large batches.",
    buckets=_LATENCY_BUCKETS,
)
OLDEST_UNSENT_SECONDS = Gauge(
    "outbox_oldest_unsent_seconds",
    "Age of the oldest row not yet acknowledged; asked of the table while nothing is sent.",
)
BACKLOG_ROWS = Gauge(
    "outbox_backlog_rows",
    "Rows known to wait: read and unacknowledged, ahead in a backlog, or counted to 10,000 while nothing is sent.",
)
SNAPSHOT_HOLD_SECONDS = Gauge(
    "outbox_snapshot_hold_seconds", "Age of the oldest transaction with an id still open: the drop rule waits for it."
)
BATCH_ROWS = Histogram(
    "outbox_batch_rows", "Rows of a published batch.", buckets=(1, 2, 5, 10, 20, 50, 100, 500, 1_000, 5_000)
)
PUBLISH_SECONDS = Histogram(
    "outbox_publish_seconds",
    "From handing a batch to the broker to its last acknowledgement.",
    buckets=_LATENCY_BUCKETS,
)
OWNER_CHANGES = Counter("outbox_owner_changes_total", "Leases taken by this process.")
FENCED = Counter("outbox_fenced_total", "Tenures that ended because another relay had taken the cursor.")
PUBLISH_FAILURES = Counter("outbox_publish_failures_total", "Publishes that failed and were tried again.")
VOIDS_SKIPPED = Counter("outbox_voids_skipped_total", "Withdrawn rows left out: the broker does not have their topic.")
VERSION_GAP = Counter("outbox_version_gap_total", "Versions of a key that skipped one. Must stay 0.")
VERSION_INVERSION = Counter("outbox_version_inversion_total", "Versions of a key that went back. Must stay 0.")
PUBLISHED = Counter("outbox_published_total", "Acknowledged rows.", ["topic"])
PARTITIONS_AHEAD = Gauge("outbox_partitions_ahead", "Empty partitions between the current xid and the overflow.")
OVERFLOW_ROWS = Gauge("outbox_overflow_rows", "Rows that fell into the overflow pieces. Must stay 0.")
HOUSEKEEPING_FAILURES = Counter("outbox_housekeeping_failures_total", "Rounds over the partitions that failed.")
IS_OWNER = Gauge("outbox_is_owner", "1 while this process holds the lease.")
PAUSED = Gauge("outbox_paused", "1 while an operator keeps this owner from publishing.")
