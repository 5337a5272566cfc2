"""A log in memory and a drawer for dead letters, for tests that want the inbox without a broker.

Proved by tests/contract/inbox, the suite the real ones pass too. `Runner(sources=broker.member_of("group", "topic"))`.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiokafka import TopicPartition

from inbox.source import Changed, PositionLost, SessionBroken, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from inbox.event import Keyless, Record


@dataclass(frozen=True, slots=True)
class MemoryRecord:
    """A record of the log in memory."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


@dataclass(slots=True)
class _Partition:
    start: int = 0
    records: list[MemoryRecord] = field(default_factory=list)

    @property
    def end(self) -> int:
        return self.start + len(self.records)


class MemoryBroker:
    """Topics, partitions, groups; everything a single-threaded test needs of a cluster."""

    def __init__(self, *, cluster_id: str = "memory") -> None:
        self.cluster_id = cluster_id
        self.committed: dict[str, dict[TopicPartition, int]] = defaultdict(dict)
        self._partitions: dict[TopicPartition, _Partition] = {}
        self._members: dict[str, list[MemorySource]] = defaultdict(list)
        self._rebalancing = asyncio.Lock()
        self._news = asyncio.Condition()

    def make_topic(self, name: str, *, partitions: int = 1) -> None:
        """Make a topic, or make it anew."""
        for number in range(partitions):
            self._partitions[TopicPartition(name, number)] = _Partition()

    async def append(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes | None]] = (),
        partition: int = 0,
        timestamp: int = 0,
    ) -> int:
        """Append a record and return its offset."""
        held = self._partitions[TopicPartition(topic, partition)]
        held.records.append(MemoryRecord(topic, partition, held.end, timestamp, key, value, tuple(headers)))
        async with self._news:
            self._news.notify_all()
        return held.end - 1

    def delete_before(self, topic: str, offset: int, *, partition: int = 0) -> None:
        """Forget the beginning of a partition, as retention does."""
        held = self._partitions[TopicPartition(topic, partition)]
        held.records = held.records[offset - held.start :]
        held.start = offset

    def member_of(self, group_id: str, *topics: str) -> Callable[[], Source]:
        """Return a maker of members of a group, as Runner's `sources`."""
        return lambda: MemorySource(self, group_id, topics)

    def topics(self) -> frozenset[str]:
        """Return the topics there are."""
        return frozenset(at.topic for at in self._partitions)

    def partition(self, at: TopicPartition) -> _Partition:
        """Return a partition; for the members."""
        return self._partitions[at]

    async def wait(self, seconds_max: float) -> None:
        """Wait until something is appended anywhere, or the time is up."""
        try:
            async with asyncio.timeout(seconds_max), self._news:
                await self._news.wait()
        except TimeoutError:
            return

    async def join(self, member: MemorySource) -> None:
        """Let a member in and deal the partitions out anew."""
        await self._rebalance(member.group_id, [*self._members[member.group_id], member])

    async def leave(self, member: MemorySource) -> None:
        """Let a member go and deal its partitions out."""
        await self._rebalance(member.group_id, [each for each in self._members[member.group_id] if each is not member])

    async def _rebalance(self, group_id: str, members: list[MemorySource]) -> None:
        async with self._rebalancing:
            for member in self._members[group_id]:
                await member.give_up(stays=member in members)
            self._members[group_id] = members
            shares: list[set[TopicPartition]] = [set() for _ in members]
            for number, at in enumerate(sorted(self._partitions)):
                if members and at.topic in members[0].topics:
                    shares[number % len(members)].add(at)
            for member, share in zip(members, shares, strict=True):
                await member.take(frozenset(share))


class MemorySource:
    """A member of a group of the broker in memory."""

    def __init__(self, broker: MemoryBroker, group_id: str, topics: Sequence[str]) -> None:
        self.group_id = group_id
        self.topics = frozenset(topics)
        self._broker = broker
        self._positions: dict[TopicPartition, int] = {}
        self._has: frozenset[TopicPartition] = frozenset()
        self._running = False

    async def start(self, *, assigned: Changed, revoked: Changed) -> None:
        """Join."""
        self._assigned, self._revoked = assigned, revoked
        self._running = True
        await self._broker.join(self)

    async def stop(self) -> None:
        """Leave; safe when never started."""
        if self._running:
            self._running = False
            await self._broker.leave(self)

    async def pulse(self) -> None:
        """Nothing to keep alive."""

    def missing(self) -> frozenset[str]:
        """Look which topics were never made."""
        return self.topics - self._broker.topics()

    async def cluster_id(self) -> str:
        """Return the broker's."""
        return self._broker.cluster_id

    async def bounds(self, at: TopicPartition) -> tuple[int, int]:
        """Return where the partition begins and ends."""
        held = self._broker.partition(at)
        return held.start, held.end

    def seek(self, at: TopicPartition, offset: int) -> None:
        """Read on from here."""
        if at not in self._has:
            raise PositionLost(f"{at.topic}/{at.partition} is not assigned")
        self._positions[at] = offset

    async def poll(self, at: TopicPartition, *, records_max: int, seconds_max: float) -> Sequence[Record]:
        """Return what follows the position, waiting for it if need be."""
        if not self._running:
            raise SessionBroken("stopped")
        if at not in self._positions:
            return ()
        found = self._next(at, records_max)
        if not found:
            await self._broker.wait(seconds_max)
            found = self._next(at, records_max)
        return found

    def behind(self, at: TopicPartition, next_offset: int) -> bool:
        """Compare with the end of the partition."""
        return self._broker.partition(at).end > next_offset

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Remember the hint."""
        self._broker.committed[self.group_id].update(offsets)

    async def take(self, share: frozenset[TopicPartition]) -> None:
        """Be given partitions by the broker."""
        self._has = share
        self._positions = {}
        await self._assigned(share)

    async def give_up(self, *, stays: bool) -> None:
        """Be told by the broker that a rebalance begins; one that leaves is not asked."""
        if stays:
            await self._revoked(self._has)
        self._has = frozenset()
        self._positions = {}

    def _next(self, at: TopicPartition, records_max: int) -> Sequence[Record]:
        if at not in self._positions:
            return ()
        held, position = self._broker.partition(at), self._positions[at]
        if not held.start <= position <= held.end:
            raise PositionLost(f"{at.topic}/{at.partition} does not hold {position}")
        found = held.records[position - held.start :][:records_max]
        self._positions[at] = position + len(found)
        return found


class MemoryDeadLetters:
    """Keeps dead letters in a list."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Keyless, str]] = []

    async def send(self, topic: str, keyless: Keyless, *, consumer: str) -> None:
        """Keep one."""
        self.sent.append((topic, keyless, consumer))

    async def close(self) -> None:
        """Nothing to give back."""
