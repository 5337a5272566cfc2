"""What a client of the shop does inside its transactions: change orders under their row locks, then append.

The version is taken from the order's row under its lock; `occurred_at` is the transaction's beginning, as in many an
application: it may lie before that of an earlier version, and nothing may depend on it.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from outbox import Message, append
from tests.chaos.tables import Connection

Append = Callable[..., Awaitable[Any]]
"""As `outbox.append`: a connection in a transaction, then messages."""

_PLACE = "insert into orders (version, op) values (1, $1) returning order_id::text as key, version, now() as moment"
_TOUCH = (
    "update orders set version = version + 1, op = $1 where order_id = $2::bigint "
    "returning order_id::text as key, version, now() as moment"
)


class Abandoned(Exception):
    """The client changed its mind before the COMMIT."""


class Draft:
    """The changes of one transaction on `connection`, called `op` in everybody's books."""

    def __init__(self, connection: Connection, op: str, *, topic: str, append_with: Append = append) -> None:
        self.connection = connection
        self._op = op
        self._topic = topic
        self._append = append_with
        self._unsaid: list[Message] = []
        self.changes: list[tuple[str, int]] = []

    async def place(self) -> str:
        """Make an order; returns its key."""
        return self._noted(await self.connection.fetchrow(_PLACE, self._op))

    async def touch(self, *keys: str) -> None:
        """Change orders, each under its lock, in one sequence for everybody so that nobody deadlocks."""
        for key in sorted(keys, key=int):
            row = await self.connection.fetchrow(_TOUCH, self._op, int(key))
            if row is not None:
                self._noted(row)

    async def announce(self) -> None:
        """Append what was changed since the last time, in one call and in no helpful order."""
        unsaid, self._unsaid = self._unsaid, []
        await self._append(self.connection, *reversed(unsaid))

    def back_to(self, changes: int) -> None:
        """A savepoint took back what came after so many changes."""
        del self.changes[changes:]

    def _noted(self, row: Any) -> str:
        key, version = str(row["key"]), int(row["version"])
        self.changes.append((key, version))
        self._unsaid.append(
            Message(
                topic=self._topic,
                key=key,
                version=version,
                type="order.changed",
                payload=f"{key}/{version}/{self._op}".encode(),
                occurred_at=row["moment"],
            )
        )
        return key
