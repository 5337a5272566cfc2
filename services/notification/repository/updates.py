"""Which updates of a bot are handled, and by whom: a lease in Postgres, and an epoch that fences who had it before."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import asyncpg

from services.notification.domain.reply import Addressed
from services.notification.repository.desk import postgres_desk
from services.notification.repository.ledger import Acquire, away_by_name
from services.notification.repository.replies import addressed, to_json
from services.notification.repository.statements import statement
from services.notification.service.desk import AnsweredBefore, Desk, Term, TermOver


class PostgresUpdates:
    """`owner` names this replica's incarnation. The lease is renewed by every look for work and by every update."""

    def __init__(self, *, acquire: Acquire, bot_id: int, owner: UUID, lease: timedelta) -> None:
        self._acquire = acquire
        self._bot_id = bot_id
        self._owner = owner
        self._lease = lease

    async def lead(self) -> Term | None:
        """Take or keep the right to ask Telegram; None while another replica has it. Raises LedgerAway."""
        with away_by_name():
            async with self._acquire() as connection:
                await connection.execute(statement("enter_bot"), self._bot_id)
                row = await connection.fetchrow(statement("lead_bot"), self._bot_id, self._owner, self._lease)
        return None if row is None else Term(epoch=row["epoch"], offset=row["next_update_id"])

    async def resign(self) -> None:
        """Give the right back, if it is ours. Raises LedgerAway."""
        with away_by_name():
            async with self._acquire() as connection:
                await connection.execute(statement("resign_bot"), self._bot_id, self._owner)

    @asynccontextmanager
    async def turn(self, update_id: int, epoch: int) -> AsyncIterator["PostgresUpdateTurn"]:
        """Open the one transaction that handles an update. Raises AnsweredBefore, TermOver, LedgerAway."""
        with away_by_name():
            async with self._acquire() as connection, connection.transaction():
                await self._begin(connection, update_id, epoch)
                yield PostgresUpdateTurn(connection, self._bot_id)

    @asynccontextmanager
    async def look(self) -> AsyncIterator[Desk]:
        """Open a desk for looking only. Raises LedgerAway."""
        with away_by_name():
            async with self._acquire() as connection, connection.transaction(readonly=True):
                yield postgres_desk(connection)

    async def unmade(self) -> Sequence[Addressed]:
        """Return the replies that were kept and never made, oldest first. Raises LedgerAway."""
        with away_by_name():
            async with self._acquire() as connection:
                rows = await connection.fetch(statement("unmade_replies"), self._bot_id)
        return [addressed(row) for row in rows]

    async def made(self, update_id: int) -> None:
        """Forget a reply that was made, or that nothing can make. Raises LedgerAway."""
        with away_by_name():
            async with self._acquire() as connection:
                await connection.execute(statement("forget_reply"), self._bot_id, update_id)

    async def _begin(self, connection: asyncpg.Connection, update_id: int, epoch: int) -> None:
        begun = await connection.fetchval(statement("begin_update"), self._bot_id, epoch, update_id, self._lease)
        if begun is not None:
            return
        present = await connection.fetchval(statement("bot_epoch"), self._bot_id)
        raise AnsweredBefore if present == epoch else TermOver


class PostgresUpdateTurn:
    """The transaction of one update."""

    def __init__(self, connection: asyncpg.Connection, bot_id: int) -> None:
        self.desk = postgres_desk(connection)
        self._connection = connection
        self._bot_id = bot_id

    async def keep(self, addressed: Addressed) -> None:
        """Keep the reply with the update until it is made."""
        await self._connection.execute(
            statement("keep_reply"),
            self._bot_id,
            addressed.update_id,
            addressed.chat_id,
            addressed.query_id,
            to_json(addressed.reply),
        )
