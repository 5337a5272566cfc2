"""Answers to idempotency keys are kept for a day, then forgotten: in small batches, so that nobody waits for it.

Nothing that fails ends the loop: what was not forgotten now is forgotten later. Replicas need not know of each other.
"""

import asyncio
from datetime import timedelta

from chassis.logs import get_logger
from services.loms.service.ports import UnitOfWork

KEPT = timedelta(hours=24)
"""How long a caller may repeat an attempt at least."""

BATCH_ANSWERS = 500
PAUSE_SECONDS = 60.0
"""Between two looks once nothing is left to forget; a replica's own start sets the beat."""

log = get_logger()


class Forgetting:
    """A loop that deletes answers older than `kept`; any number of replicas may run one."""

    def __init__(
        self,
        *,
        unit_of_work: UnitOfWork,
        kept: timedelta = KEPT,
        batch_answers: int = BATCH_ANSWERS,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._kept = kept
        self._batch_answers = batch_answers
        self._pause_seconds = pause_seconds
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Forget, pause, until asked to stop."""
        while not self._stopping.is_set():
            if await self._turn() < self._batch_answers:
                await self._pause()

    def request_stop(self) -> None:
        """Let `run` return."""
        self._stopping.set()

    async def _turn(self) -> int:
        """Forget one batch; return how many answers it had."""
        try:
            async with self._unit_of_work.statements() as tx:
                return await tx.answers.forget(self._kept, answers_max=self._batch_answers)
        except Exception:
            # a supervised boundary: the database may be away, and comes back
            log.exception("forgetting.failed")
            return 0

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._pause_seconds):
                await self._stopping.wait()
        except TimeoutError:
            return
