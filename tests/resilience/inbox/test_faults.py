"""Servers and consumers die and come back; every event is still applied once, in order, and nobody lifts a finger."""

import asyncio
import os
import random
import signal
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from prometheus_client import REGISTRY

from inbox import Event, TopicPolicy
from tests.given import MakeTopic, SharedKafka, StartKafka, StartPostgres
from tests.integration.inbox.world import CONSUMER, QUICK, World, an_event, leave_effects, log_of, world_of
from tests.resilience.inbox.child import child
from tests.waiting import eventually

if TYPE_CHECKING:
    import asyncpg

pytestmark = pytest.mark.faults

KEYS = [str(number) for number in range(8)]


async def applied_in_order(world: World, versions: int) -> bool:
    """Whether every key got exactly 1 … versions; fails at once on anything twice or out of order."""
    for key in KEYS:
        found = await world.applied(key)
        assert found == list(range(1, len(found) + 1)), (key, found)
        if len(found) != versions:
            return False
    return True


async def publish(log_bootstrap: str, topic: str, versions: Sequence[int]) -> None:
    async with log_of(log_bootstrap, topic) as log:
        for version in versions:
            await log.append(*[an_event(key, version) for key in KEYS])


async def test_postgres_killed_and_started_again_loses_and_doubles_nothing(
    own_postgres: StartPostgres, kafka: SharedKafka, topic: MakeTopic
) -> None:
    server = own_postgres()
    name = await topic("orders")
    async with world_of(server.admin_dsn, kafka.bootstrap) as world:
        world.start(TopicPolicy(name))
        for first in (1, 11, 21):
            await publish(kafka.bootstrap, name, range(first, first + 10))
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
        await world.reconnect()

        await eventually(lambda: applied_in_order(world, 30), within=40)


async def test_a_frozen_postgres_costs_time_and_does_not_hold_up_a_stop(
    own_postgres: StartPostgres, kafka: SharedKafka, topic: MakeTopic
) -> None:
    server = own_postgres()
    name = await topic("orders")
    impatient = replace(QUICK, statement_seconds_max=0.5)
    async with world_of(server.admin_dsn, kafka.bootstrap) as world:
        world.start(TopicPolicy(name), limits=impatient)
        await publish(kafka.bootstrap, name, range(1, 4))
        await eventually(lambda: applied_in_order(world, 3), within=20)
        server.freeze()
        await publish(kafka.bootstrap, name, range(4, 7))
        await eventually(lambda: retries(name) > 1, within=20)
        server.thaw()
        await eventually(lambda: applied_in_order(world, 6), within=20)

        server.freeze()
        try:
            async with asyncio.timeout(15):
                await world.stop()
        finally:
            server.thaw()
        world.start(TopicPolicy(name), limits=impatient)
        await publish(kafka.bootstrap, name, range(7, 10))

        await eventually(lambda: applied_in_order(world, 9), within=20)


async def test_a_broker_killed_and_started_again_loses_and_doubles_nothing(
    own_kafka: StartKafka, database_world: World
) -> None:
    world, cluster = database_world, own_kafka()
    world.bootstrap = cluster.bootstrap
    await make_topic(cluster.bootstrap, "orders")
    world.start(TopicPolicy("orders"))
    for first in (1, 11):
        await publish(cluster.bootstrap, "orders", range(first, first + 10))
        await asyncio.to_thread(cluster.kill_broker, 1)
        await asyncio.to_thread(cluster.start_broker, 1)
    await publish(cluster.bootstrap, "orders", range(21, 31))

    await eventually(lambda: applied_in_order(world, 30), within=60)


async def test_nothing_is_applied_while_the_database_is_away_during_assignment(
    own_postgres: StartPostgres, kafka: SharedKafka, topic: MakeTopic
) -> None:
    handled: list[Event] = []

    async def handle(connection: "asyncpg.Connection[asyncpg.Record]", events: Sequence[Event]) -> None:
        handled.extend(events)
        await leave_effects(connection, events)

    server = own_postgres()
    name = await topic("orders")
    await publish(kafka.bootstrap, name, range(1, 4))
    async with world_of(server.admin_dsn, kafka.bootstrap) as world:
        await asyncio.to_thread(server.stop, "immediate")
        world.start(TopicPolicy(name), handler=handle)
        await eventually(lambda: retries(name) > 2, within=20)
        assert handled == []
        await asyncio.to_thread(server.start)
        await world.reconnect()

        await eventually(lambda: applied_in_order(world, 3), within=20)


async def test_a_consumer_frozen_past_its_session_commits_nothing_when_it_thaws(
    world: World, topic: MakeTopic, tmp_path: Path
) -> None:
    name = await topic("orders")
    hold = tmp_path / "hold"
    hold.touch()
    with child(world.dsn, world.bootstrap, name, name="zombie", folder=tmp_path) as zombie:
        await publish(world.bootstrap, name, [1])
        await eventually((tmp_path / "held-zombie").exists, within=20)
        os.kill(zombie.pid, signal.SIGSTOP)
        hold.unlink()
        world.start(TopicPolicy(name))
        await eventually(lambda: applied_in_order(world, 1), within=30)

        os.kill(zombie.pid, signal.SIGCONT)
        await publish(world.bootstrap, name, [2, 3])
        await eventually(lambda: applied_in_order(world, 3), within=30)
        await world.stop()
        await publish(world.bootstrap, name, [4])

        await eventually(lambda: applied_in_order(world, 4), within=30)
    assert len(await world.applied_by("zombie")) >= len(KEYS), "it went on working once it was itself again"


async def test_consumers_killed_in_the_middle_of_their_work_lose_and_double_nothing(
    world: World, topic: MakeTopic, tmp_path: Path
) -> None:
    name = await topic("orders", partitions=1)
    last = 0
    for round_number in range(3):
        with child(world.dsn, world.bootstrap, name, name=f"victim-{round_number}", folder=tmp_path):
            await publish(world.bootstrap, name, range(last + 1, last + 21))
            last += 20
            await eventually(partial(some_applied_by, world, f"victim-{round_number}"), within=30)

    world.start(TopicPolicy(name))
    await eventually(lambda: applied_in_order(world, last), within=30)


async def test_a_storm_of_rebalances_loses_and_doubles_nothing(world: World, topic: MakeTopic) -> None:
    name = await topic("orders", partitions=3)
    chance = random.Random(7)
    names = (f"member-{number}" for number in count())
    versions = 40

    async def publish_all() -> None:
        async with log_of(world.bootstrap, name) as log:
            for version in range(1, versions + 1):
                for key in KEYS:
                    await log.append(an_event(key, version), partition=int(key) % 3)

    publishing = asyncio.create_task(publish_all())
    for _ in range(6):
        world.start(TopicPolicy(name), name=next(names))
        before = len(await world.applied())
        await eventually(partial(more_applied, world, before, versions * len(KEYS)), within=30)
        if len(world.running) > 2:
            leaving = chance.choice(list(world.running))
            await world.stop(leaving)
    await publishing

    await eventually(lambda: applied_in_order(world, versions), within=40)


async def test_a_static_member_restarts_without_moving_anybodys_partitions(world: World, topic: MakeTopic) -> None:
    name = await topic("orders", partitions=2)
    world.start(TopicPolicy(name), name="a", instance_id="a")
    world.start(TopicPolicy(name), name="b", instance_id="b")
    await eventually(lambda: owners(world, name, 2), within=20)
    before = await epochs(world)

    await world.stop("a")
    world.start(TopicPolicy(name), name="a", instance_id="a")
    await eventually(lambda: epochs_moved(world, before), within=20)

    after = await epochs(world)
    assert sorted(now - then for now, then in zip(after, before, strict=True)) == [0, 1]


async def test_another_clusters_position_is_refused_by_name(world: World, topic: MakeTopic) -> None:
    name = await topic("orders")
    await publish(world.bootstrap, name, [1])
    world.start(TopicPolicy(name))
    await eventually(lambda: applied_in_order(world, 1))
    await world.stop()
    await world.connection.execute("update inbox_partition set cluster_id = 'another-cluster'")

    runner = world.start(TopicPolicy(name))

    with pytest.raises(Exception, match="the position belongs to cluster another-cluster"):
        await runner


async def test_a_database_that_came_back_older_is_read_from_where_it_stands(world: World, topic: MakeTopic) -> None:
    name = await topic("orders")
    await publish(world.bootstrap, name, [1, 2])
    world.start(TopicPolicy(name))
    await eventually(lambda: applied_in_order(world, 2))
    async with world.connection.transaction():
        await world.connection.execute("delete from effects where version = 2")
        await world.connection.execute("update inbox_watermark set version = 1, event_ids = event_ids[2:]")
        await world.connection.execute("update inbox_partition set next_offset = $1, last_event_id = null", len(KEYS))

    await publish(world.bootstrap, name, [3])

    await eventually(lambda: applied_in_order(world, 3))


def retries(topic: str) -> float:
    return REGISTRY.get_sample_value("inbox_retries_total", {"consumer": CONSUMER, "topic": topic}) or 0.0


async def make_topic(bootstrap: str, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 1, 1)])
    finally:
        await admin.close()


async def some_applied_by(world: World, name: str) -> bool:
    return bool(await world.applied_by(name))


async def more_applied(world: World, before: int, everything: int) -> bool:
    return len(await world.applied()) > before or before == everything


async def owners(world: World, topic: str, number: int) -> bool:
    found = await world.connection.fetchval("select count(distinct owner) from inbox_partition where topic = $1", topic)
    return bool(found == number)


async def epochs(world: World) -> list[int]:
    rows = await world.connection.fetch("select epoch from inbox_partition order by partition")
    return [row["epoch"] for row in rows]


async def epochs_moved(world: World, before: list[int]) -> bool:
    return await epochs(world) != before
