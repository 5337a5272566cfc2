"""Three consumers of one group over two partitions join at the first record; a restart costs seconds, no event."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from events.topics import ORDER_EVENTS
from stack.servers import Kafka
from tests.given import StartKafka
from tests.notification_fixtures import Town
from tests.notification_processes import NotificationProcess
from tests.order_records import Record, a_record, writing
from tests.waiting import eventually

pytestmark = [pytest.mark.faults, pytest.mark.timeout(400)]

ORDERS_BEFORE = 100
STATUSES = ("new", "awaiting payment", "paid")
PAUSE_SECONDS_MAX = 5.0
USUAL_START_SECONDS = 2.0
"""What it takes to start a process; on a machine that is short of breath the rest is the machine's, not the group's."""

EVENTS_AFTER = 40


@dataclass
class Flow:
    """Status changes, written one by one to wherever their order belongs, and when each was acknowledged."""

    town: Town
    producer: AIOKafkaProducer
    acknowledged: dict[tuple[int, int], float] = field(default_factory=dict)

    async def write(self, order_id: int, version: int) -> None:
        """One change; durable when this returns."""
        record: Record = a_record(order_id, version, STATUSES[version - 1])
        headers = [(name, text.encode()) for name, text in record.headers.items()]
        await self.producer.send_and_wait(ORDER_EVENTS, record.value, key=record.key.encode(), headers=headers)
        self.acknowledged[order_id, version] = time.time()

    @asynccontextmanager
    async def flowing(self) -> AsyncIterator[None]:
        """Orders placed and paid, one after the other, as fast as the broker takes them, until the block ends."""
        over = asyncio.Event()
        writing = asyncio.create_task(self._flow(over))
        try:
            yield
        finally:
            over.set()
            await writing

    async def _flow(self, over: asyncio.Event) -> None:
        order_id = 1_000
        while not over.is_set():
            order_id += 1
            for version in (1, 2, 3):
                await self.write(order_id, version)

    async def missing(self) -> int:
        """How many changes have no row yet."""
        planned = await self.town.eye.fetchval("select count(*) from notifications")
        return len(self.acknowledged) - int(planned)

    async def all_planned(self) -> bool:
        """Whether each has its row."""
        return await self.missing() == 0

    async def planned(self, since: float, until: float) -> bool:
        """Whether everything acknowledged in that time has its row."""
        return len(await self._waits(since, until)) == len(self._acknowledged(since, until))

    async def longest_wait(self, since: float, until: float) -> float:
        """The longest time from acknowledgement to row, of what was acknowledged in that time."""
        return max(await self._waits(since, until))

    async def _waits(self, since: float, until: float) -> list[float]:
        changes = self._acknowledged(since, until)
        rows = await self.town.eye.fetch(
            "select order_id, version, planned_at from notifications "
            "join unnest($1::bigint[], $2::bigint[]) as asked (order_id, version) using (order_id, version)",
            [order_id for order_id, _ in changes],
            [version for _, version in changes],
        )
        return [row["planned_at"].timestamp() - changes[row["order_id"], row["version"]] for row in rows]

    def _acknowledged(self, since: float, until: float) -> dict[tuple[int, int], float]:
        return {change: at for change, at in self.acknowledged.items() if since <= at <= until}


@pytest.fixture
def kafka_of_its_own(own_kafka: StartKafka) -> Kafka:
    return own_kafka()


@pytest.fixture
def members(town: Town, kafka_of_its_own: Kafka, tmp_path: Path) -> Iterator[list[NotificationProcess]]:
    """Three replicas, not started."""
    made = [
        NotificationProcess(
            "consumer",
            tmp_path / f"consumer-{number}.log",
            NOTIFICATION_DATABASE_URL=town.database.app_dsn,
            NOTIFICATION_KAFKA_BOOTSTRAP=kafka_of_its_own.bootstrap,
            NOTIFICATION_INSTANCE=f"notification-consumer-{number}",
        )
        for number in range(3)
    ]
    yield made
    for member in made:
        member.kill()


@pytest.fixture
async def flow(town: Town, kafka_of_its_own: Kafka) -> AsyncIterator[Flow]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_of_its_own.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(ORDER_EVENTS, 2, 1), NewTopic(f"{ORDER_EVENTS}.dead", 1, 1)])
    await admin.close()
    async with writing(kafka_of_its_own.bootstrap) as producer:
        yield Flow(town, producer)


async def test_a_group_of_three_joins_at_the_first_record_and_restarts_without_losing_or_doubling_one(
    flow: Flow, members: list[NotificationProcess]
) -> None:
    for order_id in range(1, ORDERS_BEFORE + 1):
        await flow.write(order_id, 1)
    for member in members:
        member.start()
    await asyncio.gather(*(member.ready() for member in members))
    await eventually(flow.all_planned, within=30)
    print(f"first join: {ORDERS_BEFORE} events from before it, all planned")

    async with flow.flowing():
        for what, restart in (("restarted", restarted), ("killed and started", killed_and_started)):
            for number, member in enumerate(members):
                down, wait = await strike(flow, member, restart)
                print(f"member {number} {what}: down {down:.1f} s, longest wait of an event {wait:.1f} s")
                assert wait - max(0.0, down - USUAL_START_SECONDS) <= PAUSE_SECONDS_MAX
    await eventually(flow.all_planned, within=30)

    assert await twice_or_out_of_order(flow.town) == 0
    print(f"{len(flow.acknowledged)} events, 0 lost, 0 twice, 0 out of order")
    assert [member.terminate() for member in members] == [0, 0, 0]


async def strike(
    flow: Flow, member: NotificationProcess, restart: Callable[[NotificationProcess], Awaitable[None]]
) -> tuple[float, float]:
    """End a member and start it again under load: how long it was down, and the longest wait of any event meanwhile."""
    began = time.time() - 1.0
    await restart(member)
    down = time.time() - began - 1.0
    so_far = len(flow.acknowledged)
    await eventually(lambda: len(flow.acknowledged) >= so_far + EVENTS_AFTER, within=30)
    over = time.time()
    await eventually(lambda: flow.planned(began, over), within=30, every=0.1)
    return down, await flow.longest_wait(began, over)


async def restarted(member: NotificationProcess) -> None:
    """As a roll-out does it."""
    assert await asyncio.to_thread(member.terminate) == 0
    member.start()
    await member.ready()


async def killed_and_started(member: NotificationProcess) -> None:
    """As a crash and a supervisor do it."""
    await asyncio.to_thread(member.kill)
    member.start()
    await member.ready()


async def twice_or_out_of_order(town: Town) -> int:
    """Rows of an order that were not written in the order of their versions, or without the one before."""
    return int(
        await town.eye.fetchval(
            "select count(*) from (select version, row_number() over (partition by order_id order by seq) as place "
            "from notifications) as row where version <> place"
        )
    )
