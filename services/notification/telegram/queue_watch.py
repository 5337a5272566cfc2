"""Samples how much is waiting, for the gauges."""

import asyncio
from collections.abc import Awaitable, Callable

from chassis.logs import get_logger
from services.notification import metrics

log = get_logger()


class QueueWatch:
    """A loop, ended by cancelling it. A database that is away leaves the gauges as they were."""

    def __init__(self, *, measure: Callable[[], Awaitable[tuple[int, float]]], every_seconds: float) -> None:
        self._measure = measure
        self._every_seconds = every_seconds

    async def run(self) -> None:
        """Sample until cancelled."""
        while True:
            try:
                rows, oldest_seconds = await self._measure()
            except Exception as error:  # noqa: BLE001 - a supervised boundary: a sample that fails must not stop the sender
                log.info("queue_watch.skipped", reason=type(error).__name__)
            else:
                metrics.QUEUE_ROWS.set(rows)
                metrics.QUEUE_OLDEST_SECONDS.set(oldest_seconds)
            await asyncio.sleep(self._every_seconds)
