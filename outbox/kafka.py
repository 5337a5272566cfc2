"""The publisher on aiokafka: whole batches built here, one unacknowledged batch per partition.

Invariants: idempotent, acks=all; a partition's next batch leaves only after the one before it was acknowledged, so
that a refused batch is never overtaken by its successor; after any error the producer is discarded, not stopped
(stopping flushes what must not go out any more).
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka import errors as kafka_errors
from aiokafka.producer.message_accumulator import BatchBuilder

from outbox import errors, metrics
from outbox.kafka_topics import Topics
from outbox.message import TopicRule
from outbox.murmur2 import partition_of
from outbox.publisher import Stamp
from outbox.records import Encoder
from outbox.rows import EVENT_ID, KEY, TOPIC, Row
from outbox.tracing import Spans, tracer

_log = logging.getLogger(__name__)

_COMPRESSION = {None: 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
_BATCH_BYTES_MAX = 1_000_000
_DISCARD_SECONDS_MAX = 1.0
_DISCARD_ATTEMPTS = 3

_ROWS_BETWEEN_BREATHS = 128
"""About half a millisecond of building, then the sender and the session get their turn: what is ready goes out."""

_REFUSALS = (
    kafka_errors.MessageSizeTooLargeError,
    kafka_errors.RecordListTooLargeError,
    kafka_errors.InvalidTimestampError,
    kafka_errors.UnsupportedForMessageFormatError,
    kafka_errors.PolicyViolationError,
    kafka_errors.CorruptRecordException,
)
_FORBIDDEN = (
    kafka_errors.TopicAuthorizationFailedError,
    kafka_errors.ClusterAuthorizationFailedError,
    kafka_errors.InvalidTopicError,
)
_BROKER_AWAY = (kafka_errors.KafkaError, OSError, TimeoutError)

Lane = tuple[str, int]
"""A topic's partition."""


class _BatchRefused(Exception):
    """The broker will never take this batch as it is."""

    def __init__(self, lane: Lane, rows: Sequence[Row], cause: BaseException) -> None:
        super().__init__(repr(cause))
        self.lane = lane
        self.rows = rows
        self.cause = cause


class KafkaPublisher:
    """Publishes rows through one producer at a time.

    Args:
        bootstrap_servers: `host:port,…`.
        topics: the rules of the topics it publishes to; others are taken with default limits.
        source: `ce_source` where a rule has none.
        client_id: what the broker's logs call this client.
        publish_seconds_max: no acknowledgement for so long: the producer is discarded and the publish has failed.
        topic_missing_seconds: how long a topic that was there must be missing to be believed gone.
        compression: None, "lz4", "zstd", "gzip" or "snappy".
        client_options: further options of the aiokafka clients: security protocol, SASL, TLS.
    """

    def __init__(
        self,
        *,
        bootstrap_servers: str,
        topics: Sequence[TopicRule],
        source: str,
        client_id: str = "outbox-relay",
        publish_seconds_max: float = 6.0,
        topic_missing_seconds: float = 10.0,
        compression: str | None = None,
        client_options: Mapping[str, Any] | None = None,
    ) -> None:
        self._rules = {rule.name: rule for rule in topics}
        self._options = {"bootstrap_servers": bootstrap_servers, "client_id": client_id, **(client_options or {})}
        self._topics = Topics(tuple(topics), self._options, missing_seconds=topic_missing_seconds)
        self._encoder = Encoder(self._rules, source)
        self._publish_seconds_max = publish_seconds_max
        self._compression = _COMPRESSION[compression]
        self._batch_bytes_max: dict[str, int] = {}
        self._producer: AIOKafkaProducer | None = None
        self._partitions: dict[str, int] = {}

    async def open(self) -> None:
        """See `Publisher.open`."""
        if self._producer is not None:
            return
        producer = AIOKafkaProducer(
            **self._options,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            request_timeout_ms=int(self._publish_seconds_max * 500),
            retry_backoff_ms=20,
        )
        try:
            async with asyncio.timeout(self._publish_seconds_max):
                await producer.start()
                await self._topics.check(producer)  # aiokafka waits without a bound for metadata that never comes
        except BaseException as cause:
            await _discard(producer)
            if isinstance(cause, _BROKER_AWAY):
                raise errors.PublishFailed(f"the broker is away: {cause!r}") from cause
            raise
        self._producer, self._partitions = producer, {}

    async def publish(self, rows: Sequence[Row], stamp: Stamp) -> None:
        """See `Publisher.publish`."""
        spans = Spans(tracer(), len(rows))
        try:
            await self._publish(rows, stamp, spans)
        except BaseException as cause:
            spans.end(cause)
            await self.discard()
            if isinstance(cause, _BROKER_AWAY):
                raise errors.PublishFailed(repr(cause)) from cause
            raise
        spans.end()

    async def discard(self) -> None:
        """See `Publisher.discard`."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _discard(producer)

    async def _publish(self, rows: Sequence[Row], stamp: Stamp, spans: Spans) -> None:
        try:
            await self._send_lanes(await self._lanes(await self._sendable(rows, stamp)), stamp, spans)
        except _BatchRefused as refused:
            await self._find_refused(refused, stamp)
            self._halve_batches(refused.lane[0])
            raise errors.PublishFailed("a batch was refused whose rows are not; smaller ones from now on") from refused

    async def _sendable(self, rows: Sequence[Row], stamp: Stamp) -> Sequence[Row]:
        """The rows but for withdrawn ones of a topic the broker does not have: there is no place they could take."""
        if not stamp.voids:
            return rows
        withdrawn = {row[TOPIC] for row in rows if row[EVENT_ID] in stamp.voids} - self._rules.keys()
        absent = {topic for topic in withdrawn if not await self._exists(topic)}
        kept = [row for row in rows if row[TOPIC] not in absent or row[EVENT_ID] not in stamp.voids]
        if len(kept) < len(rows):
            metrics.VOIDS_SKIPPED.inc(len(rows) - len(kept))
            _log.warning("relay.voids_skipped", extra={"rows": len(rows) - len(kept), "topics": sorted(absent)})
        return kept

    async def _exists(self, topic: str) -> bool:
        try:
            await self._partition_count(await self._opened(), topic)
        except errors.TopicUnusable:
            return False
        return True

    async def _lanes(self, rows: Sequence[Row]) -> dict[Lane, list[Row]]:
        """The rows by partition, in order."""
        producer = await self._opened()
        by_topic: dict[str, list[list[Row]]] = {}
        for row in rows:
            topic = row[TOPIC]
            partitions = by_topic.get(topic)
            if partitions is None:
                count = await self._partition_count(producer, topic)
                partitions = by_topic[topic] = [[] for _ in range(count)]
            partitions[partition_of(row[KEY], len(partitions))].append(row)
        return {
            (topic, number): lane
            for topic, partitions in by_topic.items()
            for number, lane in enumerate(partitions)
            if lane
        }

    async def _partition_count(self, producer: AIOKafkaProducer, topic: str) -> int:
        """Asked once per producer: the partition count of a keyed topic is never raised in place."""
        if topic not in self._partitions:
            async with asyncio.timeout(self._publish_seconds_max):
                self._partitions[topic] = await self._topics.partitions(producer, topic)
        return self._partitions[topic]

    async def _send_lanes(self, lanes: Mapping[Lane, list[Row]], stamp: Stamp, spans: Spans) -> None:
        """All lanes side by side; the first failure ends the others."""
        if len(lanes) == 1:
            [(lane, rows)] = lanes.items()
            await self._send_lane(lane, rows, stamp, spans)
            return
        tasks = [asyncio.ensure_future(self._send_lane(lane, rows, stamp, spans)) for lane, rows in lanes.items()]
        try:
            await asyncio.gather(*tasks)
        except BaseException:
            await _end(tasks)
            raise

    async def _send_lane(self, lane: Lane, rows: Sequence[Row], stamp: Stamp, spans: Spans) -> None:
        """One batch after the other; the next is built while the last is on its way."""
        producer = await self._opened()
        on_its_way: asyncio.Future[None] | None = None
        try:
            async with contextlib.aclosing(self._batches(lane[0], rows, stamp, spans)) as batches:
                async for batch, batch_rows, is_last in batches:
                    if on_its_way is not None:
                        await on_its_way
                        on_its_way = None
                    if is_last:  # nothing left to build meanwhile: no task for it
                        await self._send(producer, lane, batch, batch_rows)
                    else:
                        on_its_way = asyncio.ensure_future(self._send(producer, lane, batch, batch_rows))
        finally:
            if on_its_way is not None:
                await _end([on_its_way])

    async def _batches(
        self, topic: str, rows: Sequence[Row], stamp: Stamp, spans: Spans
    ) -> AsyncGenerator[tuple[BatchBuilder, Sequence[Row], bool]]:
        """The rows of a lane in batches that fit its topic, each with the rows in it, and whether it is the last."""
        batch, start = self._new_batch(topic), 0
        for index, row in enumerate(rows):
            key, value, headers = self._encoder.encode(row, stamp, spans)
            if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
                yield batch, rows[start:index], False
                batch, start = self._new_batch(topic), index
                batch.append(timestamp=None, key=key, value=value, headers=headers)
            if index % _ROWS_BETWEEN_BREATHS == _ROWS_BETWEEN_BREATHS - 1:
                await asyncio.sleep(0)
        yield batch, rows[start:], True

    async def _send(self, producer: AIOKafkaProducer, lane: Lane, batch: BatchBuilder, rows: Sequence[Row]) -> None:
        topic, partition = lane
        try:
            async with asyncio.timeout(self._publish_seconds_max):
                await (await producer.send_batch(batch, topic, partition=partition))
        except _REFUSALS as cause:
            raise _BatchRefused(lane, rows, cause) from cause
        except _FORBIDDEN as cause:
            raise errors.TopicUnusable(topic, f"no right to write to it: {cause!r}") from cause

    async def _find_refused(self, refused: _BatchRefused, stamp: Stamp) -> None:
        """Send ever smaller parts of a refused batch, in order, until one row stands alone refused.

        Raises:
            RecordRefused: naming that row.
        """
        await self.discard()
        rows, (topic, _) = refused.rows, refused.lane
        if len(rows) == 1:
            raise errors.RecordRefused(topic, rows[0][KEY], rows[0][EVENT_ID], repr(refused.cause)) from refused
        half = len(rows) // 2
        for part in (rows[:half], rows[half:]):
            try:
                await self._send_lane(refused.lane, part, stamp, Spans(tracer(), len(part)))
            except _BatchRefused as smaller:
                await self._find_refused(smaller, stamp)

    async def _opened(self) -> AIOKafkaProducer:
        await self.open()
        return self._producer

    def _new_batch(self, topic: str) -> BatchBuilder:
        return BatchBuilder(self._batch_bytes(topic), self._compression, is_transactional=0)

    def _batch_bytes(self, topic: str) -> int:
        known = self._batch_bytes_max.get(topic)
        if known is None:
            rule = self._rules.get(topic)
            known = self._batch_bytes_max[topic] = min(_BATCH_BYTES_MAX, rule.max_bytes if rule else _BATCH_BYTES_MAX)
        return known

    def _halve_batches(self, topic: str) -> None:
        self._batch_bytes_max[topic] = max(1, self._batch_bytes(topic) // 2)
        _log.warning("relay.batches_halved", extra={"topic": topic, "batch_bytes_max": self._batch_bytes_max[topic]})


async def _end(tasks: Sequence[asyncio.Future[None]]) -> None:
    """Cancel what still runs and take every outcome, so that none is reported as forgotten."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _discard(producer: AIOKafkaProducer) -> None:
    """Drop a producer without flushing: end its sender, close its connections; return soon, whatever they do.

    aiokafka has no public way to do this: `stop()` delivers what is still queued, and waits for it. Its `close()` waits
    for a task that may not hear that it is cancelled (`asyncio.wait_for` before Python 3.12 can lose it): told again,
    it goes on.
    """
    producer._closed = True  # noqa: SLF001 - or it complains that it was not stopped
    sender = producer._sender.sender_task  # noqa: SLF001 - the task that would go on sending
    if sender is not None:
        sender.cancel()
    closing = asyncio.ensure_future(_closed(producer))
    for _ in range(_DISCARD_ATTEMPTS):
        await asyncio.wait([closing] if sender is None else [closing, sender], timeout=_DISCARD_SECONDS_MAX)
        if closing.done():
            return
        closing.cancel()
    _log.warning("relay.producer_abandoned")


async def _closed(producer: AIOKafkaProducer) -> None:
    with contextlib.suppress(kafka_errors.KafkaError, OSError):
        await producer.client.close()
