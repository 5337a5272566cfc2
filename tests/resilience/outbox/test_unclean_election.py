"""A broker that missed records becomes leader: forbidden, waited out; and what it costs where somebody allowed it."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

import pytest
from aiokafka.errors import KafkaError
from prometheus_client import REGISTRY

from outbox import TopicRule
from outbox.kafka import KafkaPublisher
from outbox.operations.check_topics import check_topics
from outbox.operations.republish import Selection, republish
from tests.chaos.topic import administered, copies_of, leaders_of
from tests.given import SharedPostgres, StartKafka
from tests.planted.stand import LEDGER, Stand, stand
from tests.waiting import eventually

pytestmark = pytest.mark.faults

WITHIN = 60.0
ALLOWED = {"min_insync_replicas": "1", "unclean_leader_election_enable": "true"}


async def test_while_nobody_who_has_everything_can_lead_the_relay_waits_and_says_so(
    postgres: SharedPostgres, own_kafka: StartKafka
) -> None:
    cluster = await asyncio.to_thread(own_kafka, 3)
    async with stand(postgres.admin_dsn, cluster.bootstrap, partitions=1, cluster=cluster) as at, at.relay():
        leader, follower = await copies_of(at.bootstrap, at.topic)
        keys = await at.place(3)
        await at.relay_at_rest()
        cluster.freeze_broker(follower)
        await eventually(lambda: _in_sync(at, [leader]), within=WITHIN)
        await at.touch(*keys)
        await eventually(_alarmed, within=WITHIN)
        await asyncio.to_thread(cluster.kill_broker, leader)
        cluster.thaw_broker(follower)
        await at.touch(*keys)
        assert not await at.relay_claims()

        await asyncio.to_thread(cluster.start_broker, leader)

        await eventually(at.relay_claims, within=WITHIN)
        verdict = await at.judged()
        assert await at.shop.fetchval("select epoch from outbox_cursor") == 1, "the lease was kept all the while"
    assert verdict.clean, verdict.findings


async def test_what_an_allowed_unclean_election_loses_is_noticed_and_comes_back_from_the_retained_rows(
    postgres: SharedPostgres, own_kafka: StartKafka
) -> None:
    cluster = await asyncio.to_thread(own_kafka, 3)
    async with stand(postgres.admin_dsn, cluster.bootstrap, partitions=1, cluster=cluster, **ALLOWED) as at:
        since = await _now(at)
        async with at.relay():
            leader, follower = await copies_of(at.bootstrap, at.topic)
            keys = await at.place(3)
            await at.relay_at_rest()
            cluster.freeze_broker(follower)
            await eventually(lambda: _in_sync(at, [leader]), within=WITHIN)
            await at.touch(*keys)
            await at.relay_at_rest()
            await asyncio.to_thread(cluster.kill_broker, leader)
            cluster.thaw_broker(follower)
            await eventually(lambda: _leads(at, follower), within=WITHIN)
            await asyncio.to_thread(cluster.start_broker, leader)
            await at.touch(*keys)
            await at.relay_at_rest()
        assert (await at.judged()).lost == len(keys), "what only the former leader had is gone"
        assert "unclean leader election loses records" in await _complaints(at)

        async with at.consumer():
            await eventually(lambda: _parked(at, keys), within=WITHIN)
            await _sent_again(at, since)
            await eventually(lambda: _applied(at, keys), within=WITHIN)

        verdict = await at.judged(consumers=[LEDGER])
        assert (verdict.lost, verdict.doubled) == (0, 0), verdict.findings
        assert list(verdict.invariants()) == ["I-12"], "the log keeps its scar, the consumer shows none"


async def _in_sync(at: Stand, nodes: Sequence[int]) -> bool:
    """Whether these are in sync; a question that goes to the frozen broker is asked again soon."""
    with suppress(KafkaError, OSError, TimeoutError):
        async with asyncio.timeout(1.5), administered(at.bootstrap) as admin:
            [about] = await admin.describe_topics([at.topic])
        return [each["isr"] for each in about["partitions"]] == [nodes]
    return False


async def _leads(at: Stand, node: int) -> bool:
    with suppress(KafkaError, OSError, TimeoutError):
        return await leaders_of(at.bootstrap, at.topic) == {0: node}
    return False


def _alarmed() -> bool:
    return (REGISTRY.get_sample_value("outbox_oldest_unsent_seconds") or 0.0) > 1.0


async def _complaints(at: Stand) -> list[str]:
    return [finding.fact for finding in await check_topics(at.bootstrap, [TopicRule(at.topic, versioned=True)])]


async def _now(at: Stand) -> datetime:
    now: datetime = await at.shop.fetchval("select clock_timestamp()")
    return now


async def _sent_again(at: Stand, since: datetime) -> None:
    publisher = at.publisher(KafkaPublisher)
    chosen = Selection(since=since, until=await _now(at))
    await republish(at.shop, publisher, chosen, reason="an unclean election")
    await publisher.discard()


async def _parked(at: Stand, keys: Sequence[str]) -> bool:
    """Whether every order waits for the version that is missing."""
    waiting = await at.ledger.fetch("select key from inbox_watermark where parked = 'gap'")
    return sorted(row["key"] for row in waiting) == sorted(keys)


async def _applied(at: Stand, keys: Sequence[str]) -> bool:
    return bool(await at.ledger.fetchval("select count(*) from effects") == 3 * len(keys))
