"""What the inbox needs of a log: membership of a group, and records of a partition from a chosen offset on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from aiokafka import TopicPartition

if TYPE_CHECKING:
    from inbox.event import Record

Changed = Callable[[frozenset[TopicPartition]], Awaitable[None]]
"""Told which partitions are taken away, or which this member has from now on."""


class PositionLost(Exception):
    """The log no longer holds the position that was read from."""


class SessionBroken(Exception):
    """The client cannot go on; a new one may."""


class Source(Protocol):
    """A member of a consumer group. Proved by tests/contract/inbox for the real one and for the fake."""

    async def start(self, *, assigned: Changed, revoked: Changed) -> None:
        """Join the group; from now on the callbacks may be called. Raises when the log cannot be reached."""
        ...

    async def stop(self) -> None:
        """Leave; bounded in time, never raises, also after a failed start."""
        ...

    async def pulse(self) -> None:
        """Stay a member although nothing is read; raises SessionBroken with what the group has to say."""
        ...

    def missing(self) -> frozenset[str]:
        """Return the topics of which the brokers know no partition, as far as is known."""
        ...

    async def cluster_id(self) -> str:
        """Return which cluster this log belongs to."""
        ...

    async def bounds(self, at: TopicPartition) -> tuple[int, int]:
        """Return the first offset that can be read and the one the next record will get."""
        ...

    def seek(self, at: TopicPartition, offset: int) -> None:
        """Read on from this offset, whatever was fetched before."""
        ...

    async def poll(self, at: TopicPartition, *, records_max: int, seconds_max: float) -> Sequence[Record]:
        """Return the next records of a partition, as soon as there are any; raises PositionLost, SessionBroken."""
        ...

    def behind(self, at: TopicPartition, next_offset: int) -> bool:
        """Tell whether the log is known to hold records from this offset on."""
        ...

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Tell the group how far we are; a hint for people's tools, may fail in silence."""
        ...
