"""The relay's settings: one frozen object, its bounds checked when it is made."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from outbox.message import TopicRule

_BOUNDS: Mapping[str, tuple[float, float]] = {
    "batch_rows_max": (1, 50_000),
    "batch_bytes_max": (1_000_000, 256_000_000),
    "advance_seconds": (0.0, 2.0),
    "poll_seconds_min": (0.0005, 1.0),
    "poll_seconds_max": (0.001, 10.0),
    "publish_seconds_max": (0.5, 120.0),
    "standby_seconds": (0.01, 3.0),
    "backoff_seconds_max": (0.05, 60.0),
    "housekeeping_seconds": (0.1, 3_600.0),
    "retention_hours": (0.0, 24 * 365.0),
}
_TEXTS = ("dsn", "name", "source", "instance", "channel")
_COMPRESSIONS = (None, "lz4", "zstd", "gzip", "snappy")


class BadSetting(ValueError):
    """A setting that cannot be meant."""

    def __init__(self, name: str, value: object, bound: str) -> None:
        super().__init__(f"{name} = {value!r}: {bound}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaySettings:
    """Everything a relay is told.

    Attributes:
        dsn: the tables' owner, direct: no transaction pooler in between. Several hosts are allowed; the primary is
        found. bootstrap_servers: Kafka, `host:port,…`.
        topics: the rules of every topic it publishes to.
        name: the cursor.
        source: `ce_source` where a topic's rule has none.
        instance: who this is among the relays of the cursor, in logs and `status`.
        channel: where wakes arrive.
        batch_rows_max, batch_bytes_max: bounds of one read.
        advance_seconds: the cursor is stored at most this often.
        poll_seconds_min, poll_seconds_max: without a wake, look again after; it grows from one to the other while
        quiet. publish_seconds_max: no acknowledgement for so long is a failure.
        standby_seconds: how often a standby tries to take the lease.
        backoff_seconds_max: the longest pause between two attempts at anything.
        housekeeping_seconds: how often partitions are looked after.
        retention_hours: how long sent rows stay readable: replay, timeline, verify.
        flush_before_publish: make every row as safe as commits get before it leaves; None: where the server has
            synchronous standbys.
        compression: of the batches: None, lz4, zstd, gzip, snappy.
        kafka_options: further options of the aiokafka clients: security protocol, SASL, TLS.
    """

    dsn: str
    bootstrap_servers: str
    topics: tuple[TopicRule, ...]
    name: str = "kafka"
    source: str = "outbox"
    instance: str = "relay-0"
    channel: str = "outbox"
    batch_rows_max: int = 5_000
    batch_bytes_max: int = 16_000_000
    advance_seconds: float = 0.1
    poll_seconds_min: float = 0.002
    poll_seconds_max: float = 0.05
    publish_seconds_max: float = 6.0
    standby_seconds: float = 0.2
    backoff_seconds_max: float = 5.0
    housekeeping_seconds: float = 10.0
    retention_hours: float = 72.0
    flush_before_publish: bool | None = None
    compression: str | None = None
    kafka_options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse the first setting that cannot be meant, by name, value and bound."""
        for name, (low, high) in _BOUNDS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise BadSetting(name, value, f"must lie between {low:g} and {high:g}")
        for name in _TEXTS:
            value = getattr(self, name)
            if not isinstance(value, str) or not value.strip():
                raise BadSetting(name, value, "must be a text that is not blank")
        if any(letter.isspace() for letter in self.instance):  # it is one word of the sessions' names
            raise BadSetting("instance", self.instance, "must hold no blank")
        if self.poll_seconds_min > self.poll_seconds_max:
            raise BadSetting("poll_seconds_min", self.poll_seconds_min, f"must not be above {self.poll_seconds_max:g}")
        if self.compression not in _COMPRESSIONS:
            raise BadSetting("compression", self.compression, "must be None, lz4, zstd, gzip or snappy")
        names = [rule.name for rule in self.topics]
        if len(set(names)) < len(names):
            raise BadSetting("topics", names, "must name each topic once")
