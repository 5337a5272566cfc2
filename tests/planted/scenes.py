"""The smallest scene that provokes each mistake; with the right parts the same scene is judged clean."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from aiokafka.errors import KafkaError
from prometheus_client import REGISTRY

from inbox import Event, Reject
from tests.chaos.judgement import Judgement
from tests.chaos.shop import Abandoned
from tests.chaos.tables import Connection, leave_effects
from tests.chaos.topic import copies_of, leaders_of
from tests.commit_cut import commit_cut
from tests.outbox_given import connected
from tests.planted.stand import LEDGER, Stand
from tests.waiting import eventually

Play: TypeAlias = Callable[[Stand], Awaitable[Judgement]]


@dataclass(frozen=True, slots=True)
class Scene:
    """What is played, and what it is played on."""

    play: Play
    partitions: int = 2
    brokers: int = 1


async def a_client_that_changes_its_mind(stand: Stand) -> Judgement:
    """Transactions that append and are rolled back, among others that commit."""
    async with stand.relay():
        for _ in range(3):
            await stand.place(1)
            async with stand.attempt() as draft:
                await draft.place()
                await draft.announce()
                raise Abandoned
        await stand.relay_at_rest()
    return await stand.judged()


async def a_late_commit(stand: Stand) -> Judgement:
    """A transaction draws its number first and commits last; what came between is published already."""
    async with stand.relay():
        async with connected(stand.shop_dsn) as slow, stand.attempt(slow) as draft:
            await draft.place()
            await draft.announce()
            await stand.place(2)
            await eventually(lambda: _on_its_way(stand))
        await stand.relay_at_rest()
    return await stand.judged()


async def a_transaction_that_began_early(stand: Stand) -> Judgement:
    """The later version is written by the transaction that began first."""
    [key] = await stand.place(1)
    async with connected(stand.shop_dsn) as early, stand.attempt(early) as draft:
        await early.fetchval("select now()")
        await stand.touch(key)
        await draft.touch(key)
        await draft.announce()
    async with stand.relay():
        await stand.relay_at_rest()
    return await stand.judged()


async def many_keys_in_many_partitions(stand: Stand) -> Judgement:
    """Several versions of several keys."""
    for key in await stand.place(4):
        await stand.touch(key, key)
    async with stand.relay():
        await stand.relay_at_rest()
    return await stand.judged()


async def a_leader_that_dies_alone(stand: Stand) -> Judgement:
    """The follower stands still for a moment, the leader takes records and dies, and comes back as the follower."""
    cluster, moment = stand.cluster, 0.7
    assert cluster is not None
    leader, follower = await copies_of(stand.bootstrap, stand.topic)
    async with stand.relay():
        await stand.place(1)
        await stand.relay_at_rest()
        cluster.freeze_broker(follower)
        for orders in (1, 3):  # the first answers the fetch the follower had sent before
            await stand.place(orders)
            with suppress(AssertionError):
                await eventually(stand.relay_claims, within=moment)
        await asyncio.to_thread(cluster.kill_broker, leader)
        cluster.thaw_broker(follower)
        await eventually(lambda: _leads(stand, follower), within=40)
        await asyncio.to_thread(cluster.start_broker, leader)
        await stand.relay_at_rest()
    return await stand.judged()


async def a_broker_that_was_away(stand: Stand) -> Judgement:
    """Nobody acknowledges for a while, and the relay ends meanwhile; its successor finds the broker back."""
    stand.broker_away.set()
    async with stand.relay():
        failures = _publish_failures()
        await stand.place(3)
        await eventually(lambda: _gave_up_or_moved_on(stand, failures))
    stand.broker_away.clear()
    async with stand.relay():
        await stand.relay_at_rest()
    return await stand.judged()


async def two_relays(stand: Stand) -> Judgement:
    """A second relay is started beside the first; nothing fails, so nothing may be published twice."""
    async with stand.relay("relay-0") as first, stand.relay("relay-1") as second:
        await eventually(lambda: first.owns or second.owns)
        await eventually(lambda: _stands_by_or_owns_too(stand))
        await stand.place(20)
        await stand.relay_at_rest()
    return await stand.judged(calm=True)


async def a_lease_that_ran_out(stand: Stand) -> Judgement:
    """The owner's lease ends without its noticing, as after a freeze; once it could have noticed, all is calm."""
    async with stand.relay("relay-0") as former:
        await eventually(lambda: former.owns)
        async with stand.relay("relay-1") as present:
            await stand.shop.execute("update outbox_cursor set lease_until = '-infinity'")
            await eventually(lambda: present.owns)
            with suppress(AssertionError):
                await eventually(lambda: not former.owns, within=2.0)
            await stand.place(20)
            await stand.relay_at_rest()
    return await stand.judged(calm=True)


async def a_commit_that_never_arrives(stand: Stand) -> Judgement:
    """The consumer's connection breaks at the COMMIT of its first effects."""
    await stand.place(5)
    await stand.published()
    async with commit_cut(stand.ledger_dsn) as (cut, dsn):

        async def handle(connection: Connection, events: Sequence[Event]) -> None:
            await leave_effects(connection, LEDGER, events)
            if cut.cuts == 0:
                cut.arm("before")

        async with stand.consumer(handler=handle, dsn=dsn):
            await eventually(lambda: cut.cuts == 1)
            await stand.consumer_at_rest()
    return await stand.judged(consumers=[LEDGER])


async def two_consumers(stand: Stand) -> Judgement:
    """Two consumers of one topic with one database."""
    await stand.place(5)
    await stand.published()
    for name in ("ledger", "mirror"):
        async with stand.consumer(name):
            await stand.consumer_at_rest(name)
    return await stand.judged(consumers=["ledger", "mirror"])


async def a_poisoned_order(stand: Stand) -> Judgement:
    """One order's first event cannot be applied; it waits, with what follows it, and everybody else goes on."""
    poisoned, *others = await stand.place(3)
    await stand.touch(poisoned, *others)
    await stand.published()

    async def handle(connection: Connection, events: Sequence[Event]) -> None:
        await leave_effects(connection, LEDGER, events)
        for event in events:
            if event.key == poisoned:
                raise Reject(event, "planted")

    async with stand.consumer(handler=handle):
        await stand.consumer_at_rest()
    return await stand.judged(consumers=[LEDGER], poisoned=[poisoned])


async def a_partition_that_went_to_another(stand: Stand) -> Judgement:
    """A consumer is slow in its transaction; meanwhile another takes the partition and applies the same events."""
    await stand.place(5)
    await stand.published()
    busy, release = asyncio.Event(), asyncio.Event()

    async def dawdle(connection: Connection, events: Sequence[Event]) -> None:
        await leave_effects(connection, LEDGER, events)
        busy.set()
        await release.wait()

    async with stand.consumer(handler=dawdle, group="former") as former:
        await busy.wait()
        async with stand.consumer(group="present"):
            await eventually(lambda: _all_applied(stand))
            release.set()
            former.stop()
            await stand.consumer_at_rest()
    return await stand.judged(consumers=[LEDGER])


async def _on_its_way(stand: Stand) -> bool:
    """Whether a cursor has passed the highest number that is committed."""
    passed = await stand.shop.fetchval(
        "select pg_visible_in_snapshot((select xid from outbox order by seq desc limit 1), seen) from outbox_cursor"
    )
    return bool(passed)


async def _gave_up_or_moved_on(stand: Stand, failures: float) -> bool:
    return _publish_failures() > failures or await stand.relay_claims()


async def _leads(stand: Stand, node: int) -> bool:
    with suppress(KafkaError, OSError, TimeoutError):
        return await leaders_of(stand.bootstrap, stand.topic) == {0: node}
    return False


def _publish_failures() -> float:
    return REGISTRY.get_sample_value("outbox_publish_failures_total") or 0.0


async def _stands_by_or_owns_too(stand: Stand) -> bool:
    """Whether both relays have asked for the lease, whatever they were told."""
    asked = await stand.shop.fetchval(
        "select count(*) from pg_stat_activity where datname = current_database() and "
        "(application_name like 'outbox-relay % owner' or "
        "application_name like 'outbox-relay % standby' and query like '%outbox_cursor%')"
    )
    return bool(asked == 2)


async def _all_applied(stand: Stand) -> bool:
    return bool(await stand.ledger.fetchval("select count(*) = 5 from effects"))
