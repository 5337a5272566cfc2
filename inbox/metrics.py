"""Every series of the inbox, with its meaning; declared here and nowhere else."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

APPLIED = Counter("inbox_applied_total", "Events applied and committed.", ["consumer", "topic"])
DUPLICATES = Counter("inbox_duplicates_total", "Events that had been applied or parked before.", ["consumer", "topic"])
VOID = Counter("inbox_void_total", "Events an operator had withdrawn: counted, not handed over.", ["consumer", "topic"])
GAP = Counter("inbox_gap_total", "Keys parked because a version is missing.", ["consumer", "topic"])
FORK = Counter("inbox_fork_total", "Keys parked because a version came as another event.", ["consumer", "topic"])
POISON = Counter("inbox_poison_total", "Keys parked because an event cannot be applied.", ["consumer", "topic"])
ADOPTED = Counter(
    "inbox_adopted_total", "Keys that began above version 1 and were taken as they are.", ["consumer", "topic"]
)
DEAD = Counter(
    "inbox_dead_letters_total", "Records without a usable key, sent to the dead letters.", ["consumer", "topic"]
)
FENCED = Counter("inbox_fenced_total", "Batches undone because the partition has another owner.", ["consumer", "topic"])
OWNED = Counter("inbox_owned_total", "Partitions taken, each with a new epoch.", ["consumer", "topic"])
RETRIES = Counter(
    "inbox_retries_total", "Turns undone by a failure of the surroundings, tried again.", ["consumer", "topic"]
)
RESTARTS = Counter("inbox_session_restarts_total", "Times the Kafka consumer was built anew.", ["consumer"])
PARKED_KEYS = Gauge("inbox_parked_keys", "Keys that wait for a missing version or an operator.", ["consumer", "topic"])
LAG = Gauge(
    "inbox_lag_seconds",
    "Age of the oldest record not yet applied, 0 when there is none; where nothing can be read, for how long (by the "
    "host's clock).",
    ["consumer", "topic", "partition"],
)
COMMIT_TO_APPLIED = Histogram(
    "inbox_commit_to_applied_seconds",
    "From the moment an event names as its own to the commit that applied it (by the host's clock); of a large batch "
    "evenly chosen ones, at most 32.",
    ["consumer", "topic"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60, 600, 3600),
)
BATCH_EVENTS = Histogram(
    "inbox_batch_events",
    "Records per transaction.",
    ["consumer", "topic"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000),
)
APPLY_SECONDS = Histogram(
    "inbox_apply_seconds",
    "Length of the transaction that applies a batch.",
    ["consumer", "topic"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
