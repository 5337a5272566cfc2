"""A platform whose parts a test plays by hand: it commits, publishes, applies, sends, or leaves out or doubles a step.

Nothing here is the platform's own code: the tables, the topic's records and the Bot API are written as the contract has
them, so that the checker is held against the contract.
"""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from tests.stand_in import TOKEN
from verification.murmur2 import partition_of
from verification.reconcile import Places, reconcile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    import asyncpg

    from verification.report import Report

PARTITIONS = 2
SKU = 773297411
AUDIBLE = {"paid", "cancelled", "failed"}


@dataclass(frozen=True, slots=True)
class Change:
    """One status change on its way."""

    order_id: int
    version: int
    status: str
    event_id: UUID
    at: datetime

    @property
    def type(self) -> str:
        return "order." + self.status.replace(" ", "_")

    @property
    def payload(self) -> bytes:
        moment = self.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        return json.dumps({"order_id": self.order_id, "status": self.status, "moment": moment}).encode()

    @property
    def audible(self) -> bool:
        return self.status in AUDIBLE


class World:
    """Every step by hand; `whole` takes all of them."""

    def __init__(
        self,
        *,
        orders: asyncpg.Connection[Any],
        ledger: asyncpg.Connection[Any],
        producer: AIOKafkaProducer,
        places: Places,
        since: datetime,
    ) -> None:
        self._orders = orders
        self._ledger = ledger
        self._producer = producer
        self._places = places
        self._since = since
        self._history = f"{uuid4().int % 10**18}/1"  # nobody else's: other tests' records are other owners'
        self._epoch = 1

    @property
    def places(self) -> Places:
        """Where the checker reads."""
        return self._places

    async def check(self, *, telegram: bool = True, settle_seconds: float = 0) -> Report:
        """Check the window that began with the test: what other tests left behind lies before it."""
        places = self._places if telegram else replace(self._places, telegram_url=None)
        since, no_margin = self._since, timedelta(0)
        return await reconcile(places, since=since, settle_seconds=settle_seconds, clocks_differ=no_margin)

    async def whole(self, *statuses: str) -> list[Change]:
        """An order that goes through these statuses, each change carried all the way."""
        changes = await self.commit(*statuses)
        await self.carry(*changes)
        return changes

    async def commit(self, *statuses: str, ago: timedelta = timedelta(0)) -> list[Change]:
        """An order with a row of the outbox for each status."""
        at = await self._orders.fetchval("select clock_timestamp()") - ago
        begin, *moves = statuses
        async with self._orders.transaction():
            order_id = await self._orders.fetchval(
                "insert into orders (user_id, status, version, created_at, changed_at) values (7, $2, 1, $1, $1) "
                "returning order_id",
                at,
                begin,
            )
            first = Change(order_id, 1, begin, uuid4(), at)
            await self.write(first)
        return [first, *[await self.move(order_id, version, to, at=at) for version, to in enumerate(moves, start=2)]]

    async def move(
        self, order_id: int, version: int, status: str, *, at: datetime | None = None, apart: bool = False
    ) -> Change:
        """One change of an order and its row, in one transaction unless `apart`."""
        moment = at or await self._orders.fetchval("select clock_timestamp()")
        change = Change(order_id, version, status, uuid4(), moment)
        if apart:
            await self.change_order(change)
            await self.write(change)
            return change
        async with self._orders.transaction():
            await self.change_order(change)
            await self.write(change)
        return change

    async def change_order(self, change: Change) -> None:
        await self._orders.execute(
            "update orders set status = $2, version = $3, changed_at = $4 where order_id = $1",
            change.order_id,
            change.status,
            change.version,
            change.at,
        )

    async def write(self, change: Change) -> None:
        """Only the row of the outbox."""
        await self._orders.execute(
            "insert into outbox (event_id, topic, key, version, type, occurred_at, payload) "
            "values ($1, $2, $3, $4, $5, $6, $7)",
            change.event_id,
            self._places.topic,
            str(change.order_id),
            change.version,
            change.type,
            change.at,
            change.payload,
        )

    async def withdraw(self, change: Change) -> None:
        await self._orders.execute(
            "insert into outbox_void (event_id, reason) values ($1, 'planted by a test')", change.event_id
        )

    async def write_strange(self, key: str) -> None:
        """A row whose key is no order's."""
        await self._orders.execute(
            "insert into outbox (event_id, topic, key, version, type, payload) values ($1, $2, $3, 1, 'order.new', '')",
            uuid4(),
            self._places.topic,
            key,
        )

    @asynccontextmanager
    async def forgotten_rows(self) -> AsyncIterator[None]:
        """Retention took all rows so far: they are gone, and the lowest partition no longer begins at the beginning."""
        await self._orders.execute("delete from outbox")
        await self._set_lowest_bound(1)
        try:
            yield
        finally:
            await self._set_lowest_bound(0)

    async def _set_lowest_bound(self, bound: int) -> None:
        row = await self._orders.fetchrow(
            "select c.oid::regclass::text, substring(pg_get_expr(c.relpartbound, c.oid) from $$TO \\('(\\d+)'\\)$$) "
            "from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'outbox'::regclass "
            "and pg_get_expr(c.relpartbound, c.oid) ~ $$FROM \\('[01]'\\)$$"
        )
        assert row is not None
        name, upper = row
        await self._orders.execute(f"alter table outbox detach partition {name}")
        await self._orders.execute(
            f"alter table outbox attach partition {name} for values from ('{bound}') to ('{upper}')"
        )

    async def take_over(self) -> None:
        """Another relay takes the lease: a new epoch, a producer of its own."""
        self._epoch += 1
        await self.renew_producer()

    async def renew_producer(self) -> None:
        """The relay discards its producer, as after a publish that failed."""
        await self._producer.stop()
        self._producer = a_producer(self._places.bootstrap_servers)
        await self._producer.start()

    async def close(self) -> None:
        """Close what this world opened."""
        await self._producer.stop()

    async def publish(
        self,
        change: Change,
        *,
        partition: int | None = None,
        body: bytes | None = b"",
        epoch: int | None = None,
        after: timedelta = timedelta(0),
    ) -> None:
        """A record as the relay writes it, `after` the change; `body=None` is a withdrawn event's."""
        key = str(change.order_id).encode()
        await self._producer.send_and_wait(
            self._places.topic,
            key=key,
            value=change.payload if body == b"" else body,
            partition=partition_of(key, PARTITIONS) if partition is None else partition,
            timestamp_ms=int((change.at + after).timestamp() * 1000),
            headers=[
                ("ce_id", str(change.event_id).encode()),
                ("ce_type", ("outbox.void" if body is None else change.type).encode()),
                ("ce_time", change.at.astimezone(UTC).isoformat().encode()),
                ("ce_sequence", str(change.version).encode()),
                ("outbox_history", self._history.encode()),
                ("outbox_epoch", str(epoch or self._epoch).encode()),
            ],
        )

    async def publish_poison(self, key: bytes, value: bytes) -> None:
        await self._producer.send_and_wait(self._places.topic, key=key, value=value, partition=0)

    async def apply(
        self, change: Change, *, state: str = "delivered", card: str = "done", alert: str | None = None
    ) -> None:
        """The row of the ledger that the consumer makes of an event."""
        open_row = state in {"planned", "calling"}
        await self._ledger.execute(
            "insert into notifications (order_id, version, user_id, chat_id, status, audible, moment, event_id, state, "
            "card_step, alert_step, call, finished_at) values ($1, $2, 7, 7, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            change.order_id,
            change.version,
            change.status,
            change.audible,
            change.at,
            change.event_id,
            state,
            card,
            alert or ("done" if change.audible else "none"),
            "send_card" if state == "calling" else None,
            None if open_row else datetime.now(UTC),  # noqa: TID251  a moment nobody compares
        )

    async def park(self, change: Change) -> None:
        await self._ledger.execute(
            'insert into inbox_parked (consumer, topic, key, version, event_id, partition, "offset", headers, reason) '
            "values ('notification', $1, $2, $3, $4, 0, 0, '[]', 'planted by a test')",
            self._places.topic,
            str(change.order_id),
            change.version,
            change.event_id,
        )

    async def pass_by(self, *, next_offset: int) -> None:
        """Let the consumer's tables say it has come so far in every partition."""
        await self._ledger.executemany(
            "insert into inbox_partition (consumer, topic, partition, epoch, next_offset, cluster_id, joined_offset) "
            "values ('notification', $1, $2, 1, $3, 'test', 0) "
            "on conflict (consumer, topic, partition) do update set next_offset = excluded.next_offset",
            [(self._places.topic, partition, next_offset) for partition in range(PARTITIONS)],
        )

    async def commit_offsets(self, *, next_offset: int) -> None:
        """Let the consumer's group say in Kafka that it has come so far in every partition."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._places.bootstrap_servers, group_id=self._places.group, enable_auto_commit=False
        )
        await consumer.start()
        try:
            partitions = [TopicPartition(self._places.topic, number) for number in range(PARTITIONS)]
            consumer.assign(partitions)
            await consumer.commit(dict.fromkeys(partitions, next_offset))
        finally:
            await consumer.stop()

    async def released(self, change: Change) -> None:
        """An operator let the order's parked events go on."""
        await self._decided("release", key=str(change.order_id), partition=0)

    async def moved(self, partition: int) -> None:
        """An operator moved the consumer in a partition."""
        await self._decided("rewind", key=None, partition=partition)

    async def _decided(self, action: str, *, key: str | None, partition: int) -> None:
        await self._ledger.execute(
            "insert into inbox_audit (by, action, consumer, topic, partition, key, reason) "
            "values ('a test', $1, 'notification', $2, $3, $4, 'planted')",
            action,
            self._places.topic,
            partition,
            key,
        )

    async def republished(self) -> None:
        """An operator sends rows anew from now on."""
        await self._orders.execute(
            "insert into outbox_audit (action, reason, details) values ('republish', 'planted by a test', '{}')"
        )

    async def overbook(self, sku: int) -> None:
        """A reservation that did not ask what is left."""
        await self._orders.execute("update stocks set reserved = total + 1 where sku = $1", sku)

    async def set_right(self, sku: int) -> None:
        """Somebody noticed."""
        await self._orders.execute("update stocks set reserved = 0 where sku = $1", sku)

    def one_transaction(self) -> AbstractAsyncContextManager[Any]:
        """What is written to the orders' database in this block commits together."""
        return self._orders.transaction()

    @asynccontextmanager
    async def audit_forgotten(self) -> AsyncIterator[None]:
        """The audit trigger sleeps, then works again."""
        await self._orders.execute("alter table orders disable trigger audit")
        try:
            yield
        finally:
            await self._orders.execute("alter table orders enable trigger audit")

    async def audit_begins_now(self) -> None:
        """The audit trigger says it has been there since this moment only."""
        await self._orders.execute("update audit.installed set at = clock_timestamp()")

    async def carry(self, *changes: Change) -> None:
        """Publish, apply and send what is committed."""
        for change in changes:
            await self.publish(change)
            await self.apply(change)
            await self.send(change)

    async def send(self, change: Change) -> None:
        """The card, and the alert for what people must hear, as the sender sends them."""
        await self.send_card(change)
        if change.audible:
            await self.send_alert(change)

    async def send_card(self, change: Change) -> int:
        answer = await self._call("sendMessage", change, disable_notification=True)
        return int(answer["message_id"])

    async def edit_card(self, change: Change, message_id: int) -> None:
        await self._call("editMessageText", change, message_id=message_id)

    async def send_alert(self, change: Change) -> None:
        await self._call("sendMessage", change, disable_notification=False)

    async def chat(self, text: str) -> None:
        """A message of the bot that is about no order."""
        await self._post("sendMessage", {"chat_id": 7, "text": text})

    async def _call(self, method: str, change: Change, **more: Any) -> dict[str, Any]:
        button = {"text": "Details", "callback_data": f"o:{change.order_id}:{change.version}:d"}
        text = f"Order {change.order_id}: {change.status}, {change.event_id}"
        body = {"chat_id": 7, "text": text, "reply_markup": {"inline_keyboard": [[button]]}, **more}
        return await self._post(method, body)

    async def _post(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        async with httpx.AsyncClient(base_url=str(self._places.telegram_url)) as client:
            answer = await client.post(f"/bot{TOKEN}/{method}", json=body)
        assert answer.status_code == httpx.codes.OK, answer.text
        result: dict[str, Any] = answer.json()["result"]
        return result


def a_producer(bootstrap_servers: str) -> AIOKafkaProducer:
    """One as the relay's: the broker gives it a number."""
    return AIOKafkaProducer(bootstrap_servers=bootstrap_servers, acks="all", enable_idempotence=True)
