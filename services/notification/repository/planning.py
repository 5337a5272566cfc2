"""Writes plans on a connection whose transaction belongs to the inbox."""

from collections import Counter
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import asyncpg

from services.notification.domain.change import StatusChange
from services.notification.domain.notification import State
from services.notification.repository.rows import Row
from services.notification.repository.statements import statement


class PostgresPlanning:
    """Three statements for a batch of any size; never commits.

    Locks are taken in one order everywhere: rows, then cards by order id, then lanes by chat id.
    """

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def plan(self, changes: Sequence[StatusChange]) -> dict[State, int]:
        """Write one row per change, its order's card and its chat's lane; return how many rows began in which state."""
        rows = await self._connection.fetch(statement("plan_notifications"), *_columns(changes))
        planned = [row for row in rows if row["state"] == State.PLANNED]
        if planned:
            await self._connection.execute(statement("want_cards"), *_newest_by_order(planned))
            await self._connection.execute(statement("open_lanes"), sorted({row["chat_id"] for row in planned}))
        return {State(state): count for state, count in Counter(row["state"] for row in rows).items()}


def _columns(changes: Sequence[StatusChange]) -> tuple[list[Any], ...]:
    return (
        [change.order_id for change in changes],
        [change.version for change in changes],
        [change.user_id for change in changes],
        [change.status.value for change in changes],
        [change.items for change in changes],
        [change.audible for change in changes],
        [change.moment for change in changes],
        [change.event_id for change in changes],
        [change.traceparent for change in changes],
    )


def _newest_by_order(planned: Sequence[Row]) -> tuple[list[int], ...]:
    newest = {row["order_id"]: row for row in sorted(planned, key=itemgetter("version"))}.values()
    return tuple([row[name] for row in newest] for name in ("order_id", "user_id", "chat_id", "version"))
