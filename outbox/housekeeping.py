"""Looking after the partitions, on a connection of its own, while writers write.

Never `create … partition of` nor a plain drop on the live root: both queue behind open writers, and everybody queues
behind them. Tables are prepared aside and attached; detaching is concurrent and waits as long as it must; the one plain
detach (rows in near) has a lock timeout shorter than anybody notices, and is tried again.
"""

import asyncio
import contextlib
import logging
from datetime import timedelta
from typing import Any

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from outbox import metrics
from outbox.partitions import Bar, Layout, Partition, far_start
from outbox.schema import XID_MAX
from outbox.statements import statement

_log = logging.getLogger(__name__)

_CONNECT_SECONDS_MAX = 3.0
_SWAP_LOCK_SECONDS = 0.03
_SWAP_ATTEMPTS = 5
_OVERFLOW_COUNTED_MAX = 1_000


async def connect(dsn: str, application_name: str) -> "asyncpg.Connection[Any]":
    """The owner's second connection. Its statements have no bound: a concurrent detach waits for open writers."""
    return await asyncpg.connect(
        dsn,
        timeout=_CONNECT_SECONDS_MAX,
        target_session_attrs=SessionAttribute.read_write,
        server_settings={"application_name": application_name, "jit": "off"},
    )


class Housekeeper:
    """Keeps a lead of empty partitions ahead and lets go of those nobody needs.

    Args:
        connection: the owner's, not the tenure's.
        retention: how long rows stay after their readers passed them.
    """

    def __init__(self, connection: "asyncpg.Connection[Any]", retention: timedelta) -> None:
        self._connection = connection
        self._retention = retention

    async def run(self) -> Layout:
        """One round: finish what was begun, carve, refill, drop, measure; returns what stands afterwards."""
        await self.finish_detaching()
        await self._close_gaps()
        await self.carve()
        await self.refill()
        await self.drop_passed()
        return await self._measure()

    async def layout(self) -> Layout:
        """The pieces now."""
        return Layout.of([Partition.of(row) for row in await self._connection.fetch(statement("list_partitions"))])

    async def finish_detaching(self) -> None:
        """A detach that was begun and interrupted makes inserts into its range fail: end it first of all."""
        for piece in (await self.layout()).pending:
            _log.warning("partitions.detach_pending", extra={"partition": piece.name})
            await self._connection.execute(f"alter table outbox detach partition {piece.name} finalize")
            await self._drop_if_empty(piece)

    async def refill(self) -> None:
        """Once fewer than half of the lead remain: near out, ranges in, near in again above them."""
        layout, current = await self.layout(), await self._current_xid()
        missing = layout.missing(current)
        if not missing or layout.near is None or await self._has_rows(layout.near):
            return
        if current + layout.width > layout.near.lower:
            return  # a writer could reach near while it is out: let it fall in, and carve
        for lower, upper in missing:
            await self._prepare(_range_name(lower), lower, upper)
        await self._detach(layout.near)
        if await self._has_rows(layout.near):  # a writer was quicker than the lead is long: carve in the next round
            await self._attach(layout.near.name, layout.near.lower, layout.near.upper)
            return
        await self._connection.execute(f"drop table {layout.near.name}")
        await self._lift_far(missing[-1][1])
        for lower, upper in missing:
            await self._attach(_range_name(lower), lower, upper)
        await self._put_overflow_above(missing[-1][1])
        _log.info("partitions.refilled", extra={"added": len(missing), "horizon": missing[-1][1]})

    async def carve(self) -> None:
        """Rows in near: make what is filled of it a range, and a new near above, in one short transaction."""
        layout, current = await self.layout(), await self._current_xid()
        near = layout.near
        if near is None or (current < near.lower and not await self._has_rows(near)):
            return
        _log.error("partitions.in_overflow", extra={"partition": near.name})
        upper = (current // layout.width + 2) * layout.width
        await self._discard_stranded(_range_name(near.lower))
        await self._prepare(f"outbox_near_{upper}", upper, near.upper)
        if not await self._swapped(near, upper):
            await self._connection.execute(f"drop table outbox_near_{upper}")
            _log.warning("partitions.carving_postponed", extra={"partition": near.name})

    async def drop_passed(self) -> None:
        """Drop the ranges that every reader has passed and whose rows are older than the retention."""
        bars = [_bar(row) for row in await self._connection.fetch(statement("read_bars"))]
        for piece in (await self.layout()).droppable(bars):
            if await self._is_young(piece):
                return  # what follows is younger still
            await self._detach(piece)
            await self._connection.execute(f"drop table {piece.name}")
            _log.info("partitions.dropped", extra={"partition": piece.name})

    async def _swapped(self, near: Partition, upper: int) -> bool:
        """Whether one of a few short transactions got its lock in time; writers wait behind each no longer."""
        for attempt in range(_SWAP_ATTEMPTS):
            try:
                async with self._connection.transaction():
                    await self._swap(near, upper)
            except asyncpg.LockNotAvailableError:
                await asyncio.sleep(_SWAP_LOCK_SECONDS * (attempt + 1))
            else:
                return True
        return False

    async def _swap(self, near: Partition, upper: int) -> None:
        filled = _range_name(near.lower)
        await self._connection.execute(f"set local lock_timeout = '{_SWAP_LOCK_SECONDS}s'")
        await self._connection.execute(f"alter table outbox detach partition {near.name}")
        await self._connection.execute(f"alter table {near.name} rename to {filled}")
        await self._check(filled, near.lower, upper)
        await self._attach(filled, near.lower, upper)
        await self._attach(f"outbox_near_{upper}", upper, near.upper)

    async def _close_gaps(self) -> None:
        """Where near or far is out, because its putting back was interrupted, put one in."""
        layout = await self.layout()
        if layout.near is None or layout.far is None:
            await self._put_overflow_above(layout.end)

    async def _lift_far(self, start: int) -> None:
        """Take far out where it leaves too little for near; whatever goes on puts it in again, higher."""
        far = (await self.layout()).far
        if far is not None and far_start(start, far) != far.lower and not await self._has_rows(far):
            await self._detach(far)
            await self._connection.execute(f"drop table {far.name}")

    async def _put_overflow_above(self, start: int) -> None:
        """Near from here to far, and far if it is out."""
        layout = await self.layout()
        boundary = layout.far.lower if layout.far is not None else far_start(start, None)
        if layout.far is None:
            await self._add(f"outbox_far_{boundary}", boundary, XID_MAX)
        if layout.near is None:
            await self._add(f"outbox_near_{start}", start, boundary)

    async def _measure(self) -> Layout:
        layout, current = await self.layout(), await self._current_xid()
        metrics.PARTITIONS_AHEAD.set(layout.ahead(current))
        overflow = [piece for piece in (layout.near, layout.far) if piece is not None]
        metrics.OVERFLOW_ROWS.set(sum([await self._count_rows(piece) for piece in overflow]))
        metrics.SNAPSHOT_HOLD_SECONDS.set(await self._connection.fetchval(statement("read_hold")))
        return layout

    async def _add(self, name: str, lower: int, upper: int) -> None:
        """Put a piece in. One of that name that was stranded with rows by an interrupted round is that piece."""
        stranded = await self._connection.fetchval("select to_regclass($1)::text", name)
        if stranded is None or not await self._has_rows(Partition(stranded, lower, upper)):
            await self._prepare(name, lower, upper)
        await self._attach(name, lower, upper)

    async def _discard_stranded(self, name: str) -> None:
        """A range that an interrupted refill prepared and never put in stands in the way of its name."""
        stranded = await self._connection.fetchval("select to_regclass($1)::text", name)
        if stranded is not None and not await self._has_rows(Partition(stranded, 0, 0)):
            await self._connection.execute(f"drop table {name}")

    async def _prepare(self, name: str, lower: int, upper: int) -> None:
        """An empty table of the outbox's shape aside, its bounds checked: attaching has nothing to look at."""
        await self._connection.execute(f"drop table if exists {name}")
        await self._connection.execute(f"create table {name} (like outbox including all)")
        await self._check(name, lower, upper)

    async def _check(self, name: str, lower: int, upper: int) -> None:
        await self._connection.execute(
            f"alter table {name} add constraint {name}_bounds check (xid >= '{lower}'::xid8 and xid < '{upper}'::xid8)"
        )

    async def _attach(self, name: str, lower: int, upper: int) -> None:
        await self._connection.execute(
            f"alter table outbox attach partition {name} for values from ('{lower}') to ('{upper}')"
        )

    async def _detach(self, piece: Partition) -> None:
        await self._connection.execute(f"alter table outbox detach partition {piece.name} concurrently")

    async def _drop_if_empty(self, piece: Partition) -> None:
        if await self._has_rows(piece):
            await self._attach(piece.name, piece.lower, piece.upper)
        else:
            await self._connection.execute(f"drop table {piece.name}")

    async def _has_rows(self, piece: Partition) -> bool:
        return bool(await self._ask("has_rows", piece))

    async def _count_rows(self, piece: Partition) -> int:
        return int(await self._ask("count_some_rows", piece, _OVERFLOW_COUNTED_MAX))

    async def _is_young(self, piece: Partition) -> bool:
        """Whether its latest rows are within the retention."""
        return bool(await self._ask("has_young_rows", piece, self._retention))

    async def _ask(self, name: str, piece: Partition, *args: Any) -> Any:
        return await self._connection.fetchval(statement(name).format(partition=piece.name), *args)

    async def _current_xid(self) -> int:
        return int(await self._connection.fetchval("select pg_snapshot_xmax(pg_current_snapshot())::text"))


def _range_name(lower: int) -> str:
    return f"outbox_{lower}"


def _bar(row: Any) -> Bar:
    return Bar(min(row["seen_xmax"], row["target_xmax"]), frozenset(row["running"]))


async def keep_house(dsn: str, instance: str, *, retention: timedelta, every_seconds: float) -> None:
    """Round after round until cancelled; a round that fails is told and tried again."""
    while True:
        try:
            await _rounds_while_connected(dsn, instance, retention, every_seconds)
        except Exception as cause:  # noqa: BLE001 - a supervised loop: whatever it is, publishing must go on
            metrics.HOUSEKEEPING_FAILURES.inc()
            _log.warning("partitions.round_failed", extra={"cause": repr(cause)})
        await asyncio.sleep(every_seconds)


async def _rounds_while_connected(dsn: str, instance: str, retention: timedelta, every_seconds: float) -> None:
    connection = await connect(dsn, f"outbox-housekeeper {instance}")
    try:
        keeper = Housekeeper(connection, retention)
        while True:
            await keeper.run()
            await asyncio.sleep(every_seconds)
    finally:
        with contextlib.suppress(OSError, TimeoutError, asyncpg.InterfaceError):
            connection.terminate()
