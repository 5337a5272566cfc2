"""PB-11 to PB-15: the mistakes people make between Kafka and a transaction, each as one wrong application."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import asyncpg

from inbox.application import Application
from inbox.batch import Batch
from inbox.event import Event
from inbox.fence import Hold, advance
from inbox.statements import statement
from inbox.watermark import Ref
from tests.chaos.tables import Connection


class MovesOnBeforeItApplies(Application):
    """PB-11: commits the offset, then does the work."""

    async def apply(self, connection: Connection, hold: Hold, batch: Batch) -> Hold:
        """As Application.apply, the position first and by itself."""
        async with connection.transaction():
            moved = await advance(
                connection,
                hold,
                from_offset=batch.from_offset,
                next_offset=batch.next_offset,
                last_event_id=batch.last_event_id,
            )
        return await super().apply(connection, moved, replace(batch, from_offset=moved.next_offset))


class KeepsWatermarksApart(Application):
    """PB-12: remembers what was applied in another transaction than the effect."""

    def __init__(self, dsn: str, **parts: Any) -> None:
        super().__init__(**parts)
        self._dsn = dsn

    async def apply(self, connection: Connection, hold: Hold, batch: Batch) -> Hold:
        """As Application.apply, the watermarks through a connection of their own."""
        apart = await asyncpg.connect(self._dsn)
        try:
            return await super().apply(cast("Connection", _Diverted(connection, apart)), hold, batch)
        finally:
            await apart.close()


class _Diverted:
    """A connection some of whose statements run elsewhere, at once and for good."""

    _NAMES = ("lock_watermarks", "read_tails", "store_watermarks")

    def __init__(self, connection: Connection, apart: Connection) -> None:
        self._connection = connection
        self._apart = apart
        self._diverted = {statement(name) for name in self._NAMES}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def fetch(self, query: str, *args: Any) -> Any:
        """As asyncpg's."""
        return await (self._apart if query in self._diverted else self._connection).fetch(query, *args)

    async def execute(self, query: str, *args: Any) -> Any:
        """As asyncpg's."""
        return await (self._apart if query in self._diverted else self._connection).execute(query, *args)


def watermarks_for_everybody(**parts: Any) -> Application:
    """PB-13: watermarks that do not say whose they are."""
    return Application(**{**parts, "consumer": "everybody"})


class DropsPoison(Application):
    """PB-14: an event that cannot be applied is acknowledged and forgotten."""

    async def hand_over_one_by_one(self, connection: Connection, events: Sequence[Event]) -> dict[Ref, str]:
        """As Application's, and nothing was refused."""
        await super().hand_over_one_by_one(connection, events)
        return {}


class NeverFenced(Application):
    """PB-15: moves the position without asking whose it is now."""

    async def apply(self, connection: Connection, hold: Hold, batch: Batch) -> Hold:
        """As Application.apply, with a fence that lets everybody through."""
        return await super().apply(cast("Connection", _Unfenced(connection)), hold, batch)


class _Unfenced:
    """A connection on which the fence has no conditions."""

    _MINE = "and epoch = $4 and next_offset = $5"
    _ANYBODYS = "and $4::bigint is not null and $5::bigint is not null"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        fence = statement("advance")
        if self._MINE not in fence:
            raise LookupError(f"advance.sql no longer says {self._MINE!r}: plant this mistake anew")
        self._texts = {fence: fence.replace(self._MINE, self._ANYBODYS)}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def fetchval(self, query: str, *args: Any) -> Any:
        """As asyncpg's."""
        return await self._connection.fetchval(self._texts.get(query, query), *args)
