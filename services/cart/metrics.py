"""Every series of the cart, with its meaning."""

from prometheus_client import Counter, Histogram

CARD_LOOKS = Counter(
    "cart_card_looks_total",
    "Product cards asked for, by source: shard, stale (its shard is away), live, or joined (another's live call).",
    ["source"],
)
CARD_SHARD_ERRORS = Counter(
    "cart_card_shard_errors_total",
    "Looks into a shard of the card cache, or writes to it, that failed, by shard.",
    ["shard"],
)
CARD_SHARD_SECONDS = Histogram(
    "cart_card_shard_seconds",
    "Time of one look into a shard of the card cache, in seconds.",
    ["shard"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1),
)
PACE_WAIT_SECONDS = Histogram(
    "cart_pace_wait_seconds",
    "How long a call of the catalogue waits for its slot, in seconds.",
    buckets=(0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
PACE_LATE = Counter(
    "cart_pace_late_total",
    "Slots of the catalogue that passed unused because this process was too busy to call in time.",
)
PACE_HELD = Counter(
    "cart_pace_held_total",
    "Calls of the catalogue that were not made because no slot came within their deadline.",
)
CHECKOUTS_GIVEN_UP = Counter(
    "cart_checkouts_given_up_total",
    "Checkouts that nobody went on with for so long that their cart is free again.",
)
CHECKOUTS_FORGOTTEN = Counter(
    "cart_checkouts_forgotten_total",
    "Checkouts deleted long after their end; their keys answer for nothing any more.",
)
