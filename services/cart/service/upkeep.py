"""Old checkouts are ended and forgotten: little by little, by every replica, beside the requests."""

import asyncio
import random
from datetime import timedelta

from services.cart.domain.checkout import OPEN_FOR_MOST
from services.cart.domain.errors import NeighbourAway
from services.cart.metrics import CHECKOUTS_FORGOTTEN, CHECKOUTS_GIVEN_UP
from services.cart.service.ports import OldCheckouts

BATCH_MAX = 500
"""Rows of one statement: its locks are held for milliseconds."""


class Upkeep:
    """A loop. `kept` is how long an ended checkout answers for its keys; `pause_seconds` lies between two looks."""

    def __init__(self, *, checkouts: OldCheckouts, kept: timedelta, pause_seconds: float = 60.0) -> None:
        self._checkouts = checkouts
        self._kept = kept
        self._pause_seconds = pause_seconds

    async def run(self) -> None:
        """Look again and again, sooner while there is more to do; a store that is away is looked at later."""
        while True:
            try:
                is_behind = await self.look()
            except NeighbourAway:
                is_behind = False
            seconds = 0.1 if is_behind else self._pause_seconds
            await asyncio.sleep(seconds * random.uniform(0.5, 1.5))  # noqa: S311 - jitter: replicas look in turn

    async def look(self) -> bool:
        """End and forget a batch of each; say whether there may be more."""
        given_up = await self._checkouts.give_up(after=OPEN_FOR_MOST, count_max=BATCH_MAX)
        forgotten = await self._checkouts.forget(after=self._kept, count_max=BATCH_MAX)
        CHECKOUTS_GIVEN_UP.inc(given_up)
        CHECKOUTS_FORGOTTEN.inc(forgotten)
        return BATCH_MAX in (given_up, forgotten)
