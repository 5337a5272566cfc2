"""The smallest world a mistake needs: two empty databases, a topic, one client, and parts that may be wrong."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

import asyncpg

from inbox import Event, Handler, Limits, Runner, TopicPolicy
from inbox.application import Application
from outbox import Relay, TopicRule, append
from outbox import errors as outbox_errors
from outbox.kafka import KafkaPublisher
from outbox.publisher import Publisher, Stamp
from outbox.rows import Row
from outbox.session import Session
from stack.databases import dsn_of
from stack.servers import Kafka
from tests.chaos import tables
from tests.chaos.facts import Attempt, Outcome, Witnesses
from tests.chaos.judge import judge
from tests.chaos.judgement import Judgement
from tests.chaos.shop import Abandoned, Append, Draft
from tests.chaos.topic import administered, make_topic, records_of
from tests.waiting import eventually

QUICK = Limits(
    session_timeout_seconds=6,
    stop_seconds_max=3,
    statement_seconds_max=5,
    idle_transaction_seconds_max=30,
    retry_seconds_min=0.02,
    retry_seconds_max=0.2,
    hint_every_seconds=0.2,
    decisions_every_seconds=0.1,
)
LEDGER = "ledger"
_REST_SECONDS_MAX = 40.0


class Away(KafkaPublisher):
    """A right publisher whose broker is away while `is_away` is set."""

    def __init__(self, is_away: asyncio.Event, **options: Any) -> None:
        super().__init__(**options)
        self._is_away = is_away

    async def publish(self, rows: Sequence[Row], stamp: Stamp) -> None:
        """As KafkaPublisher.publish, or what it does when nobody answers."""
        if self._is_away.is_set():
            await self.discard()
            raise outbox_errors.PublishFailed("the broker is away")
        await super().publish(rows, stamp)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The collaborators a mistake may replace; as they stand they are the right ones."""

    append: Append = append
    publisher: Callable[[Publisher], Publisher] = lambda right: right
    sessions: Callable[[str, str], Awaitable[Session]] = Session.open
    applications: Callable[..., Application] = Application


@dataclass(slots=True, kw_only=True)
class Stand:
    """Where a scene plays, and everything it leaves to the judge."""

    shop_dsn: str
    ledger_dsn: str
    bootstrap: str
    topic: str
    cluster: Kafka | None
    shop: tables.Connection
    ledger: tables.Connection
    parts: Parts = field(default_factory=Parts)
    history: list[Attempt] = field(default_factory=list)
    broker_away: asyncio.Event = field(default_factory=asyncio.Event)
    _names: "count[int]" = field(default_factory=count)

    @asynccontextmanager
    async def attempt(self, connection: tables.Connection | None = None) -> AsyncIterator[Draft]:
        """One transaction of the client, noted as it ended; Abandoned rolls it back and goes no further."""
        used = connection or self.shop
        attempt = Attempt(f"op-{next(self._names)}")
        self.history.append(attempt)
        draft = Draft(used, attempt.op, topic=self.topic, append_with=self.parts.append)
        try:
            async with used.transaction():
                yield draft
                attempt.changes = draft.changes
        except Abandoned:
            attempt.outcome = Outcome.REFUSED
        else:
            attempt.outcome = Outcome.OK

    async def place(self, orders: int) -> list[str]:
        """So many orders, each in a transaction of its own."""
        keys = []
        for _ in range(orders):
            async with self.attempt() as draft:
                keys.append(await draft.place())
                await draft.announce()
        return keys

    async def touch(self, *keys: str) -> None:
        """Change these orders, each in a transaction of its own."""
        for key in keys:
            async with self.attempt() as draft:
                await draft.touch(key)
                await draft.announce()

    @asynccontextmanager
    async def relay(self, instance: str = "relay-0", *, right: bool = False) -> AsyncIterator[Relay]:
        """A relay at work for the length of a block; with the stand's parts unless it must be `right`."""
        parts = Parts() if right else self.parts
        relay = Relay(
            dsn=self.shop_dsn,
            bootstrap_servers=self.bootstrap,
            topics=[TopicRule(self.topic, versioned=True)],
            publisher=parts.publisher(self.publisher(Away, is_away=self.broker_away)),
            sessions=parts.sessions,
            instance=instance,
            backoff_seconds_max=0.1,
        )
        task = asyncio.create_task(relay.run())
        try:
            yield relay
        finally:
            await relay.stop()
            await task

    @asynccontextmanager
    async def consumer(
        self, name: str = LEDGER, *, handler: Handler | None = None, dsn: str | None = None, group: str | None = None
    ) -> AsyncIterator[Runner]:
        """A consumer at work for the length of a block, with the stand's parts."""
        runner = Runner(
            consumer=name,
            topics=[TopicPolicy(self.topic)],
            handler=handler or partial(_leave_effects, name),
            dsn=dsn or self.ledger_dsn,
            bootstrap_servers=self.bootstrap,
            group_id=f"{group or name}-{self.topic}",
            limits=QUICK,
            applications=self.parts.applications,
        )
        task = asyncio.create_task(runner.run())
        try:
            yield runner
        finally:
            runner.stop()
            await task

    async def relay_at_rest(self) -> None:
        """Wait until the cursor claims to be past every row, or long enough."""
        await _long_enough(self.relay_claims)

    async def consumer_at_rest(self, name: str = LEDGER) -> None:
        """Wait until the consumer's position claims to be at the end of the topic, or long enough."""
        records, _ = await records_of(self.bootstrap, self.topic)
        ends: dict[int, int] = {}
        for record in records:
            ends[record.partition] = max(ends.get(record.partition, 0), record.offset + 1)
        await _long_enough(partial(self._consumer_claims, name, sum(ends.values())))

    async def published(self) -> None:
        """Bring everything committed to the topic by a right relay."""
        async with self.relay(right=True):
            await self.relay_at_rest()

    def publisher(self, kind: type[KafkaPublisher], **options: Any) -> KafkaPublisher:
        """A publisher of this kind as a relay would build it, giving up within two seconds."""
        rule = TopicRule(self.topic, versioned=True)
        options = {"source": "outbox", "publish_seconds_max": 2.0, **options}
        return kind(bootstrap_servers=self.bootstrap, topics=(rule,), **options)

    async def judged(
        self, *, calm: bool = False, consumers: Sequence[str] = (), poisoned: Sequence[str] = ()
    ) -> Judgement:
        """Ask every witness, then the judge."""
        records, partitions = await records_of(self.bootstrap, self.topic)
        seen = Witnesses(
            history=self.history,
            orders=await tables.orders_of(self.shop),
            audit=await tables.audit_of(self.shop),
            rows=await tables.rows_of(self.shop),
            records=records,
            partitions=partitions,
            effects=await tables.effects_of(self.ledger),
            echoes=await tables.echoes_of(self.ledger),
            parked=await tables.parked_of(self.ledger),
            consumers=consumers,
        )
        return judge(seen, calm=calm, poisoned=poisoned)

    async def relay_claims(self) -> bool:
        """Whether the cursor says that every row is published."""
        claim = await self.shop.fetchval(
            "select target is null and not exists (select from outbox where not pg_visible_in_snapshot(xid, seen)) "
            "from outbox_cursor"
        )
        return bool(claim)

    async def _consumer_claims(self, name: str, end: int) -> bool:
        position = await self.ledger.fetchval(
            "select coalesce(sum(next_offset), 0) from inbox_partition where consumer = $1", name
        )
        return bool(position >= end)


@asynccontextmanager
async def stand(
    admin_dsn: str, bootstrap: str, *, partitions: int, cluster: Kafka | None, **configs: str
) -> AsyncIterator[Stand]:
    """Build one, and take it down whatever happened on it; `configs` are the topic's."""
    name = f"planted_{uuid.uuid4().hex[:10]}"
    async with AsyncExitStack() as down:
        admin = await asyncpg.connect(admin_dsn)
        down.push_async_callback(admin.close)
        for database in (f"{name}_shop", f"{name}_ledger"):
            await admin.execute(f"create database {database}")
            down.push_async_callback(admin.execute, f"drop database {database} with (force)")
        shop_dsn, ledger_dsn = dsn_of(admin_dsn, f"{name}_shop"), dsn_of(admin_dsn, f"{name}_ledger")
        await tables.install_shop(shop_dsn)
        await tables.install_ledger(ledger_dsn)
        copies = 2 if cluster else 1
        await make_topic(
            bootstrap, name, partitions=partitions, copies=copies, **{"min_insync_replicas": str(copies), **configs}
        )
        down.push_async_callback(_delete_topic, bootstrap, name)
        shop, ledger = await asyncpg.connect(shop_dsn), await asyncpg.connect(ledger_dsn)
        down.push_async_callback(shop.close)
        down.push_async_callback(ledger.close)
        yield Stand(
            shop_dsn=shop_dsn,
            ledger_dsn=ledger_dsn,
            bootstrap=bootstrap,
            topic=name,
            cluster=cluster,
            shop=shop,
            ledger=ledger,
        )


async def _leave_effects(name: str, connection: tables.Connection, events: Sequence[Event]) -> None:
    await tables.leave_effects(connection, name, events)


async def _long_enough(claims: Callable[[], Awaitable[bool]]) -> None:
    """A wrong part may never come to rest: then the judge sees what there is."""
    with suppress(AssertionError):
        await eventually(claims, within=_REST_SECONDS_MAX)


async def _delete_topic(bootstrap: str, name: str) -> None:
    async with administered(bootstrap) as admin:
        await admin.delete_topics([name])
