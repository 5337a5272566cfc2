"""The first answers to requests with an idempotency key."""

from services.loms.domain.errors import IdempotencyKeyReused, RequestInProgress
from services.loms.repository.connection import Connection
from services.loms.repository.statements import statement
from services.loms.service.attempts import Answer, Attempt


class Answers:
    """The port `Answers` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def find(self, attempt: Attempt) -> Answer | None:
        """Hold the key, then look for its answer with a snapshot taken after that."""
        name = f"idempotency:{attempt.scope}:{attempt.owner}:{attempt.key}"
        if not await self._connection.fetchval(statement("hold_idempotency_key"), name):
            raise RequestInProgress(attempt.key)
        row = await self._connection.fetchrow(statement("read_answer"), attempt.scope, attempt.owner, attempt.key)
        if row is None:
            return None
        if row["fingerprint"] != attempt.fingerprint:
            raise IdempotencyKeyReused(attempt.key)
        return Answer(row["order_id"], short=tuple(row["short_skus"]), replayed=True)

    async def keep(self, attempt: Attempt, answer: Answer) -> None:
        """Write the answer; the key is held, so nobody else can write one."""
        await self._connection.execute(
            statement("keep_answer"),
            attempt.scope,
            attempt.owner,
            attempt.key,
            attempt.fingerprint,
            answer.order_id,
            list(answer.short),
        )
