"""The faults, and the trace each must leave: a fault nobody could have noticed makes the run void.

A fault strikes, waits until its trace is there, lasts, and is taken back; it returns the trace in words. Where a
standby, another member or another broker is there to take over, what is committed meanwhile must take effect before
the fault is taken back: surviving means going on.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from aiokafka.errors import KafkaError

from stack.servers.kafka_metadata import brokers_known_to
from tests.chaos.history import History
from tests.chaos.prepared import Prepared
from tests.chaos.scene import CONSUMERS, PARTITIONS, Scene
from tests.chaos.topic import leaders_of
from tests.commit_cut import CommitCut, Where
from tests.produce_cut import ProduceCut
from tests.waiting import eventually, for_the_length_of_a_fault
from verification.murmur2 import partition_of

WHERE: Sequence[Where] = ("before", "after")

_TRACE_SECONDS_MAX = 60.0
_PROGRESS_SECONDS_MAX = 90.0
_HOT_KEY = b"1"
_RELAY_EPOCH = "select epoch from outbox_cursor"
_INBOX_EPOCHS = "select coalesce(sum(epoch), 0)::bigint from inbox_partition"
_OWNERS = "select count(distinct owner) from inbox_partition"
_LEADING_RELAY = (
    "select min(split_part(application_name, ' ', 2)) from pg_stat_activity "
    "where datname = current_database() and application_name like 'outbox-relay % owner' having count(*) = 1"
)
_OWNING_SESSION = "select min(pid) from pg_stat_activity where datname = current_database() and application_name = $1"
_SESSION_IS_GONE = "select not exists (select from pg_stat_activity where pid = $1 and application_name = $2)"
_RECOVERED = "database system was not properly shut down"


_STARTERS = ThreadPoolExecutor()
"""A server dies with the thread that started it: these outlive the event loop of a test."""


class NoTrace(Exception):
    """A fault left nothing behind."""


Strike = Callable[[Scene, random.Random], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Fault:
    """What it is called, what it does, and what it must not share with another at the same time."""

    name: str
    strike: Strike
    claims: frozenset[str]


async def kill_relay(scene: Scene, chance: random.Random) -> str:
    """SIGKILL of the relay that owns the cursor; a standby takes over."""
    del chance
    owner, before = await _leading_relay(scene)
    await scene.crew.kill(owner)
    try:
        trace = await _risen("the cursor's epoch", lambda: scene.shop.ask(_RELAY_EPOCH), before)
        await _goes_on(scene)
    finally:
        scene.start("relay", owner)
    return f"{owner} died, {trace}"


async def freeze_relay(scene: Scene, chance: random.Random) -> str:
    """The owning relay stands still until its lease is another's, and some more; then it wakes up, and lets go."""
    owner, before = await _leading_relay(scene)
    session = f"outbox-relay {owner} owner"
    backend = await scene.shop.ask(_OWNING_SESSION, session)
    scene.crew.freeze(owner)
    try:
        trace = await _risen("the cursor's epoch", lambda: scene.shop.ask(_RELAY_EPOCH), before)
        await _goes_on(scene)
        await for_the_length_of_a_fault(chance.uniform(0.2, 2.0))
    finally:
        scene.crew.thaw(owner)
    await eventually(lambda: scene.shop.ask(_SESSION_IS_GONE, backend, session), within=_PROGRESS_SECONDS_MAX)
    return f"{owner} stood still, {trace}"


async def kill_consumer(scene: Scene, chance: random.Random) -> str:
    """SIGKILL of a consumer; its partitions go to others once the group misses it."""
    before = await _settled_group(scene)
    victim = chance.choice(scene.crew.names("consumer"))
    await scene.crew.kill(victim)
    trace = await _risen("the partitions' epochs", lambda: scene.ledger.ask(_INBOX_EPOCHS), before)
    await _goes_on(scene)
    scene.start("consumer")
    return f"{victim} died, {trace}"


async def freeze_consumer(scene: Scene, chance: random.Random) -> str:
    """A consumer stands still beyond its session; its partitions are others' when it wakes up."""
    before = await _settled_group(scene)
    victim = chance.choice(scene.crew.names("consumer"))
    scene.crew.freeze(victim)
    try:
        trace = await _risen("the partitions' epochs", lambda: scene.ledger.ask(_INBOX_EPOCHS), before)
        await _goes_on(scene)
        await for_the_length_of_a_fault(chance.uniform(0.2, 2.0))
    finally:
        scene.crew.thaw(victim)
    return f"{victim} stood still, {trace}"


async def rebalance(scene: Scene, chance: random.Random) -> str:
    """A consumer joins, and one leaves."""
    before = await _settled_group(scene)
    joined = scene.start("consumer")
    first = await _risen("the partitions' epochs", lambda: scene.ledger.ask(_INBOX_EPOCHS), before)
    between = await _settled_group(scene)
    leaving = chance.choice(scene.crew.names("consumer")[:CONSUMERS])
    await scene.crew.stop(leaving)
    await _risen("the partitions' epochs", lambda: scene.ledger.ask(_INBOX_EPOCHS), between)
    return f"{joined} came, {leaving} went, {first} and on"


async def kill_writer(scene: Scene, chance: random.Random) -> str:
    """SIGKILL of a client in the middle of its attempts."""
    victim = chance.choice(scene.crew.names("writer"))

    def caught_at_work() -> bool:
        scene.crew.freeze(victim)
        if scene.attempts_open(victim):
            return True
        scene.crew.thaw(victim)
        return False

    await eventually(caught_at_work, within=_TRACE_SECONDS_MAX)
    left = scene.attempts_open(victim)
    await scene.crew.kill(victim)
    scene.start("writer")
    return f"{victim} died and left {left} attempts open"


async def crash_postgres(scene: Scene, chance: random.Random) -> str:
    """An immediate stop; the next start recovers."""
    before = _recoveries(scene)
    await asyncio.to_thread(scene.postgres.stop, "immediate")
    await for_the_length_of_a_fault(chance.uniform(0.0, 1.5))
    await _started(scene.postgres.start)
    if _recoveries(scene) == before:
        raise NoTrace("postgres came back without recovering")
    return f"postgres crashed and recovered for the {before + 1}. time"


async def kill_broker(scene: Scene, chance: random.Random) -> str:
    """SIGKILL of the broker that leads the hot partition; another one leads, if there is another one."""
    leader = await _hot_leader(scene)
    await asyncio.to_thread(scene.kafka.kill_broker, leader)
    try:
        trace = await _without(scene, leader)
        await for_the_length_of_a_fault(chance.uniform(0.0, 2.0))
    finally:
        await _started(partial(scene.kafka.start_broker, leader))
    return f"broker {leader} died, {trace}"


async def freeze_broker(scene: Scene, chance: random.Random) -> str:
    """The broker that leads the hot partition stands still, silent with its connections open."""
    leader = await _hot_leader(scene)
    scene.kafka.freeze_broker(leader)
    try:
        trace = await _without(scene, leader)
        await for_the_length_of_a_fault(chance.uniform(1.0, 4.0))
    finally:
        scene.kafka.thaw_broker(leader)
    return f"broker {leader} stood still, {trace}"


async def lose_a_commit(scene: Scene, chance: random.Random) -> str:
    """A client's COMMIT does not arrive, or its answer does not."""
    return await _cut(scene.writers_cut, "the COMMIT of a client", chance)


async def lose_a_commit_of_a_consumer(scene: Scene, chance: random.Random) -> str:
    """A consumer's COMMIT does not arrive, or its answer does not."""
    return await _cut(scene.consumers_cut, "the COMMIT of a consumer", chance)


async def lose_a_produce(scene: Scene, chance: random.Random) -> str:
    """A relay's batch does not arrive, or its acknowledgement does not."""
    return await _cut(scene.relays_cut, "a batch of a relay", chance)


async def leave_prepared(scene: Scene, chance: random.Random) -> str:
    """A transaction is prepared and its client gone; everybody else goes on, then somebody commits it."""
    name = f"prepared-{next(scene.numbers['prepared'])}"
    with History(scene.history(name)) as history:
        prepared = Prepared(scene, history, name)
        try:
            await prepared.prepare(chance)
            await prepared.known_as_running()
            await _goes_on(scene)
            await for_the_length_of_a_fault(chance.uniform(0.2, 2.0))
        finally:
            await prepared.commit()
    return f"{name} was left prepared, and the cursor passed it as running"


FAULTS: Mapping[str, Fault] = {
    strike.__name__: Fault(strike.__name__.replace("_", " "), strike, frozenset(claims.split()))
    for strike, claims in (
        (kill_relay, "relay postgres"),
        (freeze_relay, "relay postgres"),
        (kill_consumer, "consumer postgres"),
        (freeze_consumer, "consumer postgres"),
        (rebalance, "consumer postgres broker"),
        (kill_writer, "writer"),
        (crash_postgres, "postgres-down postgres relay consumer cut"),
        (kill_broker, "broker"),
        (freeze_broker, "broker"),
        (lose_a_commit, "cut writer"),
        (lose_a_commit_of_a_consumer, "cut consumer"),
        (lose_a_produce, "relay broker"),
        (leave_prepared, "prepared"),
    )
}


async def _started(start: Callable[[], None]) -> None:
    await asyncio.get_running_loop().run_in_executor(_STARTERS, start)


async def _goes_on(scene: Scene) -> None:
    """What was committed last takes effect although the fault is still there; AssertionError if it does not."""
    await scene.caught_up(within=_PROGRESS_SECONDS_MAX)


async def _leading_relay(scene: Scene) -> tuple[str, int]:
    """Who owns the cursor, and its epoch; waits while two think they do."""

    async def leading() -> str:
        return str(await scene.shop.ask(_LEADING_RELAY) or "")

    owner = await eventually(leading, within=_TRACE_SECONDS_MAX)
    return owner, int(await scene.shop.ask(_RELAY_EPOCH))


async def _settled_group(scene: Scene) -> int:
    """Wait until every consumer owns partitions, so that whoever is struck is missed; returns the epochs' sum."""

    async def settled() -> bool:
        return bool(await scene.ledger.ask(_OWNERS) == len(scene.crew.names("consumer")))

    await eventually(settled, within=_TRACE_SECONDS_MAX, every=0.1)
    return int(await scene.ledger.ask(_INBOX_EPOCHS))


async def _risen(what: str, number: Callable[[], Awaitable[int]], before: int) -> str:
    found = before

    async def risen() -> bool:
        nonlocal found
        found = int(await number())
        return found > before

    with suppress(AssertionError):
        await eventually(risen, within=_TRACE_SECONDS_MAX, every=0.05)
    if found <= before:
        raise NoTrace(f"{what} stayed at {before}")
    return f"{what} rose from {before} to {found}"


def _recoveries(scene: Scene) -> int:
    return scene.postgres.log.read_text(encoding="utf-8", errors="replace").count(_RECOVERED)


async def _hot_leader(scene: Scene) -> int:
    leaders = [-1]

    async def led() -> bool:
        leaders.append(await _leader(scene))
        return leaders[-1] > 0

    await eventually(led, within=_TRACE_SECONDS_MAX, every=0.2)
    return leaders[-1]


async def _leader(scene: Scene) -> int:
    """The node that leads the hot partition; -1 while nobody can say."""
    with suppress(KafkaError, OSError, TimeoutError):
        return (await leaders_of(scene.kafka.bootstrap, scene.topic))[partition_of(_HOT_KEY, PARTITIONS)]
    return -1


async def _without(scene: Scene, node: int) -> str:
    """Wait until the cluster goes on without this node, or, when it is the only one, until it is silent."""
    if scene.brokers == 1:
        silent = not await asyncio.to_thread(brokers_known_to, scene.kafka.ports[0])
        if not silent:
            raise NoTrace(f"broker {node} still answers")
        return "nobody answers"
    now = [node]

    async def moved() -> bool:
        now.append(await _leader(scene))
        return now[-1] not in {node, -1}

    with suppress(AssertionError):
        await eventually(moved, within=_TRACE_SECONDS_MAX, every=0.2)
    if now[-1] in {node, -1}:
        raise NoTrace(f"broker {node} still leads")
    await _goes_on(scene)
    return f"broker {now[-1]} leads"


async def _cut(cut: CommitCut | ProduceCut, what: str, chance: random.Random) -> str:
    before = cut.cuts
    where = chance.choice(WHERE)
    cut.arm(where)
    with suppress(AssertionError):
        await eventually(lambda: cut.cuts > before, within=_TRACE_SECONDS_MAX)
    if cut.cuts == before:
        raise NoTrace(f"{what} never came by")
    return f"{what} was cut off {where} the server heard it"
