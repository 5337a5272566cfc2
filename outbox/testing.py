"""A broker in memory, for tests: proved by the suite that proves the real publisher (tests/contract/outbox).

It keeps what it takes, per topic and partition, and refuses what a broker refuses: unknown topics, records over the
topic's limit, everything while it is away. A test may also make it hold acknowledgements back.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from outbox import errors
from outbox.message import MAX_MESSAGE_BYTES_DEFAULT, TopicRule
from outbox.murmur2 import partition_of
from outbox.publisher import Stamp
from outbox.records import Encoder
from outbox.rows import EVENT_ID, KEY, TOPIC, Row
from outbox.tracing import Spans, tracer


@dataclass(frozen=True, slots=True)
class FakeRecord:
    """What lies in a partition."""

    key: str
    value: bytes | None
    headers: dict[str, str]


@dataclass(slots=True)
class FakeTopic:
    """A topic's partitions and its limit."""

    partitions: list[list[FakeRecord]]
    max_message_bytes: int


@dataclass(slots=True)
class FakeBroker:
    """Topics by name.

    Attributes:
        topics: what `create_topic` made.
        away: refuses everything while true.
        acknowledging: while cleared, records land and their acknowledgements are held back.
    """

    topics: dict[str, FakeTopic] = field(default_factory=dict)
    away: bool = False
    acknowledging: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.acknowledging.set()

    def create_topic(
        self, name: str, *, partitions: int = 1, max_message_bytes: int = MAX_MESSAGE_BYTES_DEFAULT
    ) -> None:
        """Make an empty topic."""
        self.topics[name] = FakeTopic([[] for _ in range(partitions)], max_message_bytes)

    def records(self, topic: str) -> list[FakeRecord]:
        """Everything in the topic, partition by partition."""
        return [record for partition in self.topics[topic].partitions for record in partition]


class FakePublisher:
    """The publisher's port over a broker in memory."""

    def __init__(self, broker: FakeBroker, topics: Sequence[TopicRule], source: str = "outbox") -> None:
        self._broker = broker
        self._rules = {rule.name: rule for rule in topics}
        self._encoder = Encoder(self._rules, source)

    async def open(self) -> None:
        """See `Publisher.open`."""
        self._refuse_if_away()
        for rule in self._rules.values():
            if self._topic(rule.name).max_message_bytes < rule.max_bytes:
                raise errors.TopicUnusable(rule.name, "its max.message.bytes is below the rule's")

    async def publish(self, rows: Sequence[Row], stamp: Stamp) -> None:
        """See `Publisher.publish`."""
        await self.open()
        spans = Spans(tracer(), len(rows))
        try:
            for row in rows:
                self._land(row, stamp, spans)
            await self._broker.acknowledging.wait()
            self._refuse_if_away()
        finally:
            spans.end()

    async def discard(self) -> None:
        """See `Publisher.discard`."""

    def _land(self, row: Row, stamp: Stamp, spans: Spans) -> None:
        if row[EVENT_ID] in stamp.voids and row[TOPIC] not in self._broker.topics:
            return
        topic = self._topic(row[TOPIC])
        key, value, headers = self._encoder.encode(row, stamp, spans)
        size = len(key) + len(value or b"") + sum(len(name) + len(text) for name, text in headers)
        if size > topic.max_message_bytes:
            raise errors.RecordRefused(row[TOPIC], row[KEY], row[EVENT_ID], "message too large")
        partition = topic.partitions[partition_of(row[KEY], len(topic.partitions))]
        partition.append(FakeRecord(key.decode(), value, {name: text.decode() for name, text in headers}))

    def _topic(self, name: str) -> FakeTopic:
        topic = self._broker.topics.get(name)
        if topic is None:
            raise errors.TopicUnusable(name, "the broker does not have it")
        return topic

    def _refuse_if_away(self) -> None:
        if self._broker.away:
            raise errors.PublishFailed("the broker is away")
