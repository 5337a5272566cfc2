"""A consumer with a real broker and a real database around it; the test shows only what matters."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete

from inbox import Event, Handler, Limits, NeedsOperator, Runner, TopicPolicy, install_statements
from inbox.kafka import KafkaSource
from inbox.parking import decode_headers
from tests.waiting import eventually

CONSUMER = "notification"
QUICK = Limits(
    retry_seconds_min=0.02,
    retry_seconds_max=0.2,
    hint_every_seconds=0.1,
    decisions_every_seconds=0.05,
    session_timeout_seconds=6,
    stop_seconds_max=3,
)
GRANTS = 4
MOMENT = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)

Connection = asyncpg.Connection


@dataclass(frozen=True, slots=True)
class Sent:
    """A record as a test gives it to the log."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


def an_event(
    key: str,
    version: int | None,
    *,
    event_id: UUID | None = None,
    kind: str = "order.paid",
    body: bytes | None = b"{}",
    **headers: str,
) -> Sent:
    """A well-formed record: CloudEvents headers, dense version."""
    named = {
        "ce_specversion": "1.0",
        "ce_id": str(event_id or uuid4()),
        "ce_type": kind,
        "ce_time": MOMENT.isoformat(),
        **({"ce_sequence": str(version)} if version is not None else {}),
        **headers,
    }
    return Sent(key.encode(), body, [(name, value.encode()) for name, value in named.items()])


@dataclass(slots=True)
class Log:
    """One topic of the broker, written to by the test."""

    producer: AIOKafkaProducer
    topic: str

    async def append(self, *records: Sent, partition: int = 0) -> None:
        """Append in this order; durable when this returns."""
        acknowledgements = [
            await self.producer.send(self.topic, each.value, key=each.key, headers=each.headers, partition=partition)
            for each in records
        ]
        await asyncio.gather(*acknowledgements)

    async def recreate(self, partitions: int = 1) -> None:
        """Delete the topic and make it anew under the same name."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.producer.client._bootstrap_servers)
        await admin.start()
        try:
            await admin.delete_topics([self.topic])

            async def made() -> bool:
                answer = await admin.create_topics([NewTopic(self.topic, partitions, 1)])
                return [error for _, error, *_ in answer.topic_errors] == [0]

            await eventually(made)
            await eventually(lambda: self._writable(admin))
        finally:
            await admin.close()

    async def _writable(self, admin: AIOKafkaAdminClient) -> bool:
        (about,) = await admin.describe_topics([self.topic])
        return all(each["error_code"] == 0 and each["leader"] >= 0 for each in about["partitions"])

    async def delete_before(self, offset: int, partition: int = 0) -> None:
        """Delete the beginning of a partition, as retention does."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.producer.client._bootstrap_servers)
        await admin.start()
        try:
            at = TopicPartition(self.topic, partition)
            await admin.delete_records({at: RecordsToDelete(before_offset=offset)})
        finally:
            await admin.close()


async def records_of(bootstrap: str, topic: str) -> list[Any]:
    """Everything partition 0 of a topic holds now."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="earliest")
    await consumer.start()
    try:
        at = TopicPartition(topic, 0)
        consumer.assign([at])
        end = (await consumer.end_offsets([at]))[at]
        found: list[Any] = []
        while len(found) < end:
            found += (await consumer.getmany(at, timeout_ms=1000)).get(at, [])
        return found
    finally:
        await consumer.stop()


@asynccontextmanager
async def log_of(bootstrap: str, topic: str) -> AsyncIterator[Log]:
    """Open a topic for writing."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        yield Log(producer, topic)
    finally:
        await producer.stop()


async def install(dsn: str) -> None:
    """Make the inbox's tables, and a table in which every single effect leaves a row."""
    connection = await asyncpg.connect(dsn)
    try:
        role = await connection.fetchval("select current_user")
        for statement in install_statements(app_role=role):
            await connection.execute(statement)
        await connection.execute(
            "create table effects (place bigint generated always as identity, by text, topic text, key text, "
            "version bigint, event_id uuid, type text, payload bytea, traceparent text)"
        )
    finally:
        await connection.close()


async def leave_effects(connection: Connection, events: Sequence[Event], by: str = "") -> None:
    """A handler: one row per event, in the order given."""
    await connection.executemany(
        "insert into effects (by, topic, key, version, event_id, type, payload, traceparent) "
        "values ($1, $2, $3, $4, $5, $6, $7, $8)",
        [(by, e.topic, e.key, e.version, e.event_id, e.type, e.payload, e.headers.get("traceparent")) for e in events],
    )


@dataclass(slots=True)
class World:
    """What a test looks at, and the consumers it starts."""

    dsn: str
    bootstrap: str
    connection: Connection
    running: dict[str, tuple[Runner, asyncio.Task[None]]] = field(default_factory=dict)
    roles: list[str] = field(default_factory=list)

    def start(
        self,
        *topics: TopicPolicy,
        name: str = "one",
        handler: Handler = leave_effects,
        limits: Limits = QUICK,
        consumer: str = CONSUMER,
        **options: Any,
    ) -> asyncio.Task[None]:
        """Start a consumer; it is stopped with the world unless the test stops it."""
        runner = Runner(
            consumer=consumer,
            topics=topics,
            handler=handler,
            dsn=options.pop("dsn", self.dsn),
            bootstrap_servers=options.pop("bootstrap", self.bootstrap),
            group_id=options.pop("group_id", f"{consumer}-{topics[0].name}"),
            limits=limits,
            **options,
        )
        task = asyncio.create_task(runner.run(), name=f"runner {name}")
        self.running[name] = (runner, task)
        return task

    async def reconnect(self) -> None:
        """Look at a server that was away."""
        self.connection.terminate()
        self.connection = await asyncpg.connect(self.dsn)

    async def stop(self, name: str = "one") -> None:
        """Stop a consumer gracefully; raises what it ended with."""
        runner, task = self.running.pop(name)
        runner.stop()
        await task

    async def applied(self, key: str | None = None, topic: str | None = None) -> list[int | None]:
        """Versions in the order of their effects."""
        rows = await self.connection.fetch(
            "select version from effects where ($1::text is null or key = $1) and ($2::text is null or topic = $2) "
            "order by place",
            key,
            topic,
        )
        return [row["version"] for row in rows]

    async def parked(self, key: str) -> list[tuple[int | None, str]]:
        """What is set aside of a key: version and reason."""
        rows = await self.connection.fetch(
            'select version, reason from inbox_parked where key = $1 order by version, "offset"', key
        )
        return [(row["version"], row["reason"]) for row in rows]

    async def why_parked(self, key: str) -> str | None:
        """Why a key waits."""
        found: str | None = await self.connection.fetchval("select parked from inbox_watermark where key = $1", key)
        return found

    async def position(self, topic: str, partition: int = 0) -> int | None:
        """The next offset, as the database has it."""
        found: int | None = await self.connection.fetchval(
            "select next_offset from inbox_partition where topic = $1 and partition = $2", topic, partition
        )
        return found

    async def reaches(self, topic: str, offset: int, *, partition: int = 0, within: float = 15.0) -> None:
        """Wait until everything before this offset is dealt with."""

        async def there() -> bool:
            for runner, task in self.running.values():
                assert runner is not None
                if task.done() and task.exception():
                    await task
            return await self.position(topic, partition) == offset

        await eventually(there, within=within)

    async def hinted(self, topic: str, partition: int = 0, *, consumer: str = CONSUMER) -> int | None:
        """What Kafka has been told."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            offsets = await admin.list_consumer_group_offsets(f"{consumer}-{topic}")
        finally:
            await admin.close()
        found = offsets.get(TopicPartition(topic, partition))
        return None if found is None or found.offset < 0 else int(found.offset)

    async def applied_by(self, by: str) -> list[int | None]:
        """Versions in the order of one handler's effects."""
        rows = await self.connection.fetch("select version from effects where by = $1 order by place", by)
        return [row["version"] for row in rows]

    async def with_an_ordinary_role(self) -> str:
        """Make a role with the library's grants and those on the effects; return its address."""
        role = f"app_{uuid4().hex[:8]}"
        await self.connection.execute(f"create role {role} login password 'loopback'")
        for statement in install_statements(app_role=role)[-GRANTS:]:
            await self.connection.execute(statement)
        await self.connection.execute(f"grant insert on effects to {role}")
        self.roles.append(role)
        address = urlsplit(self.dsn)
        return f"postgresql://{role}:loopback@{address.hostname}:{address.port}{address.path}"

    async def daily_pieces_of_seen(self) -> int:
        """How many daily pieces the ids have."""
        count: int = await self.connection.fetchval(
            "select count(*) from pg_inherits where inhparent = 'inbox_seen'::regclass"
        )
        return count - 1

    def sources_that_never_hint(self, topic: str) -> Callable[[], KafkaSource]:
        """Make members that crash, as it were, just before each offset reaches Kafka."""

        class NeverHinting(KafkaSource):
            async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
                del offsets

        return lambda: NeverHinting(
            bootstrap_servers=self.bootstrap,
            group_id=f"{CONSUMER}-{topic}",
            instance_id=None,
            topics=[topic],
            limits=QUICK,
            options={},
        )

    @staticmethod
    def headers(stored: str) -> list[tuple[str, bytes | None]]:
        """Read stored headers back."""
        return decode_headers(stored)


@asynccontextmanager
async def world_of(dsn: str, bootstrap: str) -> AsyncIterator[World]:
    """Install the tables and hand out a world; whoever still runs at the end is stopped."""
    await install(dsn)
    world = World(dsn, bootstrap, await asyncpg.connect(dsn))
    try:
        yield world
    finally:
        for name in list(world.running):
            with suppress(NeedsOperator):
                await world.stop(name)
        for role in world.roles:
            await world.connection.execute(f"drop owned by {role}")
            await world.connection.execute(f"drop role {role}")
        await world.connection.close()
