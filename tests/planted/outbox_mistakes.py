"""PB-01 to PB-10: the mistakes people make between a transaction and Kafka, each as one wrong collaborator."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar

import asyncpg
from aiokafka import AIOKafkaProducer

from outbox import Message, append
from outbox import errors as outbox_errors
from outbox.kafka import KafkaPublisher, Lane
from outbox.publisher import Publisher, Stamp
from outbox.records import Encoder, Record
from outbox.rows import SEQ, TOPIC, Row
from outbox.session import Session
from outbox.statements import statement
from outbox.tracing import Spans
from tests.chaos.tables import Connection

_READS = ("read_difference", "read_difference_and_running")


def weakened(name: str, condition: str, instead: str) -> str:
    """The library's statement with one condition gone; an error when it has no such condition any more."""
    text = statement(name)
    if condition not in text:
        raise LookupError(f"{name}.sql no longer says {condition!r}: plant this mistake anew")
    return text.replace(condition, instead)


def _without_epoch() -> dict[str, str]:
    mine = "and epoch = $2 and owner = $3"
    anybodys = "and $2::bigint is not null and $3::uuid is not null"
    return {name: weakened(name, mine, anybodys) for name in ("advance", "store_walk")}


class PublishesBeforeTheCommit:
    """PB-01: an append that tells Kafka at once, while the transaction may still be rolled back."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap

    async def __call__(self, connection: Connection, *messages: Message) -> None:
        """Send, then append as usual."""
        ids = await append(connection, *messages)
        producer = AIOKafkaProducer(bootstrap_servers=self._bootstrap)
        await producer.start()
        try:
            for message, event_id in zip(messages, ids, strict=True):
                headers = [("ce_id", str(event_id).encode()), ("ce_sequence", b"%d" % (message.version or 0))]
                await producer.send_and_wait(message.topic, message.payload, key=message.key.encode(), headers=headers)
        finally:
            await producer.stop()


class AppendsApart:
    """PB-02: an append that opens a transaction of its own."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    async def __call__(self, _: Connection, *messages: Message) -> None:
        """Append and commit, whatever becomes of the caller's transaction."""
        apart = await asyncpg.connect(self._dsn)
        try:
            async with apart.transaction():
                await append(apart, *messages)
        finally:
            await apart.close()


class WrongStatements(Session):
    """A session that sends other text under some names."""

    texts: ClassVar[Mapping[str, str]] = {}

    async def fetch(self, name: str, *args: Any) -> list[Any]:
        """As Session.fetch."""
        async with self._busy:
            return await self._connection.fetch(self._text(name), *args)

    async def fetchrow(self, name: str, *args: Any) -> Any:
        """As Session.fetchrow."""
        async with self._busy:
            return await self._connection.fetchrow(self._text(name), *args)

    def _text(self, name: str) -> str:
        return self.texts.get(name) or statement(name)


class ReadsPastTheLastNumber(WrongStatements):
    """PB-03: `where seq > last`, blind to whoever drew a number early and commits late."""

    last = 0

    async def fetch(self, name: str, *args: Any) -> list[Any]:
        """Read on from the highest number seen."""
        if name not in _READS:
            return await super().fetch(name, *args)
        limit = args[1]
        async with self._busy:
            [read] = await self._connection.fetch(f"{statement('read_difference')} limit 1", args[0], 0)
            rows = await self._connection.fetch(
                "select seq, event_id, topic, key, version, type, occurred_at, headers, payload "
                "from outbox where seq > $1 order by seq limit $2",
                self.last,
                limit,
            )
        self.last = max((row[SEQ] for row in rows), default=self.last)
        return [read, *rows]


class ReadsByMoment(WrongStatements):
    """PB-04: `order by created_at`: transactions do not commit in the order in which they began."""

    texts: ClassVar = {
        name: "select * from (" + statement(name).replace("order by seq nulls first", "") + ") as found "
        "order by seq is not null, occurred_at"
        for name in _READS
    }


class WritesWithoutKey(KafkaPublisher):
    """PB-05: records without a key, spread evenly."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._encoder = _Keyless(self._rules, options["source"])

    async def _lanes(self, rows: Sequence[Row]) -> dict[Lane, list[Row]]:
        right = await super()._lanes(rows)
        lanes: dict[Lane, list[Row]] = {}
        for row in rows:
            lanes.setdefault((row[TOPIC], row[SEQ] % self._partitions[row[TOPIC]]), []).append(row)
        return lanes if rows else right


class _Keyless(Encoder):
    def encode(self, row: Row, stamp: Stamp, spans: Spans) -> Record:
        _, value, headers = super().encode(row, stamp, spans)
        return None, value, headers  # type: ignore[return-value]  # that a key is there is what this mistake denies


class BelievesOneCopy(KafkaPublisher):
    """PB-06: acks=1: takes the leader's word, and the leader dies before a follower has the record."""

    async def open(self) -> None:
        """As KafkaPublisher.open, with a producer that waits for nobody but the leader."""
        if self._producer is None:
            producer = AIOKafkaProducer(**self._options, acks=1, linger_ms=0)
            await producer.start()
            self._producer, self._partitions = producer, {}


class _Wrapped:
    """A publisher around a right one."""

    def __init__(self, right: Publisher) -> None:
        self._right = right

    async def open(self) -> None:
        """See `Publisher.open`."""
        await self._right.open()

    async def discard(self) -> None:
        """See `Publisher.discard`."""
        await self._right.discard()


class AdvancesBeforeTheAnswer(_Wrapped):
    """PB-07: returns as soon as the rows are on their way."""

    def __init__(self, right: Publisher) -> None:
        super().__init__(right)
        self._on_their_way: list[asyncio.Task[None]] = []

    async def publish(self, rows: Sequence[Row], stamp: Stamp) -> None:
        """Hand over, and hope."""
        self._on_their_way.append(asyncio.create_task(self._hope(rows, stamp)))

    async def _hope(self, rows: Sequence[Row], stamp: Stamp) -> None:
        with suppress(outbox_errors.PublishFailed):
            await self._right.publish(rows, stamp)

    async def discard(self) -> None:
        """What is on its way ends with the relay."""
        await asyncio.gather(*self._on_their_way)
        await super().discard()


class NobodyLeads(WrongStatements):
    """PB-08: two relays work side by side, neither asks whether it may."""

    texts: ClassVar = {
        **_without_epoch(),
        "take_lease": weakened(
            "take_lease", "and (lease_until < clock_timestamp() or lease_until > clock_timestamp() + $3::interval)", ""
        ),
    }


class SkipsWhatFailed(_Wrapped):
    """PB-09: tries again with the rest."""

    async def publish(self, rows: Sequence[Row], stamp: Stamp) -> None:
        """Publish; leave out the row it fell over."""
        try:
            await self._right.publish(rows, stamp)
        except outbox_errors.PublishFailed:
            if len(rows) > 1:
                await self.publish(rows[1:], stamp)


class AdvancesWithoutEpoch(WrongStatements):
    """PB-10: a relay that lost its lease moves the cursor as before, and never learns."""

    texts: ClassVar = _without_epoch()
