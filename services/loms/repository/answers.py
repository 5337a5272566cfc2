"""The first answers to requests with an idempotency key."""

from datetime import timedelta
from typing import TypeAlias

from services.loms.domain.errors import IdempotencyKeyReused
from services.loms.repository.connection import Connection
from services.loms.repository.statements import statement
from services.loms.service.attempts import Answer, Attempt

KeyColumns: TypeAlias = tuple[str | None, int | None, str | None, bytes | None]


class Answers:
    """The port `Answers` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def first(self, attempt: Attempt) -> Answer | None:
        """Look for the answer to an earlier attempt."""
        row = await self._connection.fetchrow(statement("read_answer"), attempt.scope, attempt.owner, attempt.key)
        if row is None:
            return None
        if row["fingerprint"] != attempt.fingerprint:
            raise IdempotencyKeyReused(attempt.key)
        short = tuple(row["short_skus"])
        return Answer(row["order_id"], failed=bool(short), short=short, replayed=True)

    async def keep(self, attempt: Attempt, answer: Answer) -> None:
        """Write the answer to an attempt that changed nothing; who answered it first violates the primary key."""
        await self._connection.execute(
            statement("keep_answer"), attempt.scope, attempt.owner, attempt.key, attempt.fingerprint, answer.order_id
        )

    async def forget(self, age: timedelta, *, answers_max: int) -> int:
        """Delete some of the answers older than this."""
        done = await self._connection.execute(statement("forget_answers"), age, answers_max)
        return int(done.rpartition(" ")[2])


def key_columns(attempt: Attempt | None) -> KeyColumns:
    """Return what a writing statement needs of an attempt: the name of its lock, its owner, its key and fingerprint."""
    if attempt is None:
        return None, None, None, None
    name = f"idempotency:{attempt.scope}:{attempt.owner}:{attempt.key}"
    return name, attempt.owner, attempt.key, attempt.fingerprint
