"""The sender's ledger in Postgres: claim lanes, write rows, give lanes back, each in a few set-based statements."""

from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

import asyncpg

from services.notification.domain.lane import Decision, Head, Lane, Subscriber, Written
from services.notification.domain.notification import Notification, State
from services.notification.domain.settlement import AT_ONCE, CardLost, CardShown, ChatIsElsewhere, ChatIsGone
from services.notification.repository.rows import head
from services.notification.repository.statements import statement
from services.notification.service.ports import Closed, Finished, LedgerAway, Settled

Acquire = Callable[[], AbstractAsyncContextManager[Any]]
"""Lends a connection: a pool's `acquire`."""

_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
)
"""What a restart, an overload or a rival of the database looks like from here; everything else is a fault of ours."""

_Key = tuple[int, int]


class PostgresLedger:
    """`owner` names this sender's incarnation: never reused, so that what it holds can be told from anybody else's."""

    def __init__(self, *, acquire: Acquire, owner: UUID) -> None:
        self._acquire = acquire
        self._owner = owner

    async def any_due(self) -> bool:
        """Say whether a claim would find a lane. Raises LedgerAway."""
        with away_by_name():
            async with self._acquire() as connection:
                return bool(await connection.fetchval(statement("any_lane_due")))

    @asynccontextmanager
    async def turn(self) -> AsyncIterator["PostgresTurn"]:
        """Open a transaction, committed when the block ends well. Raises LedgerAway."""
        with away_by_name():
            async with self._acquire() as connection, connection.transaction():
                yield PostgresTurn(connection, self._owner)


class PostgresTurn:
    """One transaction of the sender. Locks are taken in one order: rows, cards by order id, lanes by chat id."""

    def __init__(self, connection: asyncpg.Connection, owner: UUID) -> None:
        self._connection = connection
        self._owner = owner

    async def claim(self, *, lanes_max: int, lease: timedelta) -> Sequence[tuple[Lane, Head | None]]:
        """Claim due lanes nobody holds; return each with the order first in line."""
        claimed = await self._connection.fetch(statement("claim_lanes"), self._owner, lease, lanes_max)
        if not claimed:
            return []
        rows = await self._connection.fetch(statement("read_heads"), [lane["chat_id"] for lane in claimed])
        heads = {chat_id: head(list(group)) for chat_id, group in groupby(rows, key=itemgetter("lane_chat_id"))}
        return [(Lane(**lane), heads.get(lane["chat_id"])) for lane in claimed]

    async def apply(self, decisions: Sequence[Decision]) -> Sequence[Finished]:
        """Write what was decided; give back the lanes without a call. Raises LedgerAway if a row changed meanwhile."""
        writes = [written for decision in decisions for written in decision.writes]
        saved = await self._save([(written, AT_ONCE) for written in writes])
        if len(saved) != len(writes):
            raise LedgerAway("a late answer was written between our reading and our writing")
        for decision in decisions:
            if decision.reroute is not None:
                await self._reroute(decision.reroute)
        given_back = [(decision.lane, decision.after) for decision in decisions if decision.assignment is None]
        await self._release(given_back)
        return _finished(saved)

    async def settle(self, settled: Sequence[Settled]) -> Closed:
        """Write what became of calls and give their lanes back; rows another claim has taken over are left alone."""
        writes = [(Written(each.calling, each.settlement.notification), each.settlement.after) for each in settled]
        saved = await self._save(writes)
        mine = [each for each in settled if _key(each.settlement.notification) in saved]
        await self._show_cards(mine)
        await self._follow_chats(mine)
        await self._release([(each.lane, each.settlement.after) for each in mine])
        return Closed(finished=_finished(saved), fenced=len(settled) - len(mine))

    async def hand_back(self, *, except_lanes: Collection[int]) -> int:
        """Plan again what this sender claimed but certainly never called; return how many rows that were."""
        held = await self._connection.fetch(statement("lock_own_lanes"), self._owner, list(except_lanes))
        lanes = ([lane["chat_id"] for lane in held], [lane["epoch"] for lane in held])
        done = await self._connection.execute(statement("plan_again"), *lanes)
        await self._connection.execute(statement("free_lanes"), *lanes)
        return int(done.rpartition(" ")[2])

    async def _save(self, writes: Sequence[tuple[Written, timedelta]]) -> Mapping[_Key, asyncpg.Record]:
        if not writes:
            return {}
        rows = await self._connection.fetch(statement("save_notifications"), *_columns(writes))
        return {(row["order_id"], row["version"]): row for row in rows}

    async def _show_cards(self, mine: Sequence[Settled]) -> None:
        shown = [
            (row.order_id, row.user_id, each.lane.chat_id, effect.message_id, effect.version)
            for each in mine
            if isinstance(effect := each.settlement.effect, CardShown) and (row := each.settlement.notification)
        ]
        if shown:
            await self._connection.execute(
                statement("show_cards"), *(list(column) for column in zip(*shown, strict=True))
            )
        lost = [each.settlement.notification.order_id for each in mine if isinstance(each.settlement.effect, CardLost)]
        if lost:
            await self._connection.execute(statement("lose_cards"), lost)

    async def _follow_chats(self, mine: Sequence[Settled]) -> None:
        gone = [each.lane.chat_id for each in mine if isinstance(each.settlement.effect, ChatIsGone)]
        if gone:
            await self._connection.execute(statement("deactivate_chat"), gone)
        for each in mine:
            if isinstance(effect := each.settlement.effect, ChatIsElsewhere):
                await self._connection.execute(statement("move_subscribers"), each.lane.chat_id, effect.chat_id)
                await self._connection.execute(statement("move_notifications"), each.lane.chat_id, effect.chat_id)
                await self._connection.execute(statement("open_lanes"), [effect.chat_id])

    async def _reroute(self, subscriber: Subscriber) -> None:
        await self._connection.execute(statement("reroute_notifications"), subscriber.user_id, subscriber.chat_id)
        await self._connection.execute(statement("open_lanes"), [subscriber.chat_id])

    async def _release(self, lanes: Sequence[tuple[Lane, timedelta]]) -> None:
        if lanes:
            await self._connection.execute(
                statement("release_lanes"),
                [lane.chat_id for lane, _ in lanes],
                [lane.epoch for lane, _ in lanes],
                [lane.tickets for lane, _ in lanes],
                [after for _, after in lanes],
            )


@contextmanager
def away_by_name() -> Iterator[None]:
    """Raise LedgerAway for what a restart, an overload or a rival of the database looks like."""
    try:
        yield
    except _AWAY as error:
        raise LedgerAway(type(error).__name__) from error


def _key(row: Notification) -> _Key:
    return row.order_id, row.version


def _columns(writes: Sequence[tuple[Written, timedelta]]) -> tuple[list[Any], ...]:
    return (
        [written.now.order_id for written, _ in writes],
        [written.now.version for written, _ in writes],
        [written.was.state.value for written, _ in writes],
        [written.was.epoch for written, _ in writes],
        [written.now.state.value for written, _ in writes],
        [written.now.card.value for written, _ in writes],
        [written.now.alert.value for written, _ in writes],
        [written.now.call for written, _ in writes],
        [written.now.epoch for written, _ in writes],
        [written.now.attempts for written, _ in writes],
        [written.now.lost_edits for written, _ in writes],
        [written.now.plain for written, _ in writes],
        [written.now.reason for written, _ in writes],
        [after for _, after in writes],
    )


def _finished(saved: Mapping[_Key, asyncpg.Record]) -> list[Finished]:
    return [
        Finished(state=State(row["state"]), latency=row["latency"])
        for row in saved.values()
        if row["latency"] is not None
    ]
