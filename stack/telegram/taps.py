"""Taps on buttons that wait for the bot's answer, as the spinning button of a real phone does."""

import asyncio
from collections import OrderedDict

_OPEN_MAX = 10_000


class Taps:
    """The newest ten thousand taps; what is older counts as expired, as in the real API."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, asyncio.Future[str]] = OrderedDict()

    def open(self, query_id: str) -> None:
        """Expect an answer to this tap."""
        self._open[query_id] = asyncio.get_running_loop().create_future()
        if len(self._open) > _OPEN_MAX:
            _, expired = self._open.popitem(last=False)
            expired.cancel()

    def answer(self, query_id: str, text: str) -> bool:
        """Hand the bot's answer to the phone; False for a tap that is unknown or expired."""
        waiting = self._open.get(query_id)
        if waiting is None:
            return False
        if not waiting.done():
            waiting.set_result(text)
        return True

    async def wait(self, query_id: str, seconds: float) -> str | None:
        """Give what the bot answered, None if it did not in time."""
        try:
            return await asyncio.wait_for(asyncio.shield(self._open[query_id]), seconds)
        except TimeoutError:
            return None
