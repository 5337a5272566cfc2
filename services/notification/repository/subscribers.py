"""Links between users and chats, and the questions operators ask of the ledger."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from services.notification.domain.lane import Subscriber
from services.notification.repository.ledger import Acquire
from services.notification.repository.statements import statement
from services.notification.service.resending import Proposal


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


class PostgresInvitations:
    """Keeps fingerprints of tokens."""

    def __init__(self, *, acquire: Acquire) -> None:
        self._acquire = acquire

    async def put(self, token: bytes, user_id: int, life: timedelta) -> datetime:
        """Keep the fingerprint of a token; return when it ends, by the database's clock."""
        async with self._acquire() as connection:
            ends: datetime = await connection.fetchval(statement("mint_link"), token, user_id, life)
        return ends


class PostgresResends:
    """The uncertain rows of the ledger, and what operators decided about them."""

    def __init__(self, *, acquire: Acquire) -> None:
        self._acquire = acquire

    async def proposals(self, order_id: int | None, rows_max: int) -> Sequence[Proposal]:
        """Return uncertain rows, the oldest first, of one order if one is given."""
        async with self._acquire() as connection:
            rows = await connection.fetch(statement("list_resendable"), order_id, rows_max)
        return [Proposal(**row) for row in rows]

    async def resend(self, proposals: Sequence[Proposal], reason: str) -> int:
        """Plan these again where that is still right; note the reason; return how many were."""
        orders, versions = [each.order_id for each in proposals], [each.version for each in proposals]
        async with self._acquire() as connection, connection.transaction():
            again = await connection.fetch(statement("resend"), orders, versions, reason)
            await connection.execute(statement("open_lanes"), sorted({row["chat_id"] for row in again}))
        return len(again)


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
