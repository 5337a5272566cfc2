"""Links between users and chats, and the questions operators ask of the ledger."""

from collections.abc import Sequence
from typing import Any

from services.notification.domain.lane import Subscriber
from services.notification.repository.ledger import Acquire
from services.notification.repository.statements import statement


class PostgresSubscribers:
    """Each method is one statement of its own."""

    def __init__(self, *, acquire: Acquire) -> None:
        self._acquire = acquire

    async def find(self, user_id: int) -> Subscriber | None:
        """Return the link of a user, active or not."""
        async with self._acquire() as connection:
            row = await connection.fetchrow(statement("find_subscriber"), user_id)
        return None if row is None else Subscriber(**row)

    async def put(self, subscriber: Subscriber) -> None:
        """Write the link; it counts for every call that begins after this."""
        async with self._acquire() as connection:
            await connection.execute(
                statement("put_subscriber"),
                subscriber.user_id,
                subscriber.chat_id,
                subscriber.language,
                subscriber.active,
            )


class PostgresReports:
    """What operators read; every answer is bounded."""

    def __init__(self, *, acquire: Acquire) -> None:
        self._acquire = acquire

    async def subscribers(self, rows_max: int) -> Sequence[dict[str, Any]]:
        """Return the newest links."""
        return await self._read("list_subscribers", rows_max)

    async def uncertain(self, rows_max: int) -> Sequence[dict[str, Any]]:
        """Return the newest rows whose answer was lost."""
        return await self._read("list_uncertain", rows_max)

    async def attempts(self, order_id: int) -> Sequence[dict[str, Any]]:
        """Return the rows of one order by version."""
        return await self._read("list_attempts", order_id)

    async def queue(self) -> tuple[int, float]:
        """Return how many rows are open and how many seconds the oldest has waited."""
        (row,) = await self._read("measure_queue")
        return row["rows"], row["oldest_seconds"]

    async def _read(self, name: str, *arguments: object) -> list[dict[str, Any]]:
        async with self._acquire() as connection:
            return [dict(row) for row in await connection.fetch(statement(name), *arguments)]
