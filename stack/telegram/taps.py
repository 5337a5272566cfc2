"""Taps on buttons that wait for the bot's answer, as the spinning button of a real phone does."""

import asyncio
from collections import OrderedDict

_OPEN_MAX = 10_000


class Taps:
    """The newest ten thousand taps; what is older counts as expired, as in the real API."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, tuple[int, asyncio.Future[str]]] = OrderedDict()

    def open(self, query_id: str, chat_id: int) -> None:
        """Expect an answer to this tap of a chat."""
        self._open[query_id] = (chat_id, asyncio.get_running_loop().create_future())
        if len(self._open) > _OPEN_MAX:
            _, (_, expired) = self._open.popitem(last=False)
            expired.cancel()

    def chat_of(self, query_id: str) -> int | None:
        """Give the chat a tap was made in; None for a tap that is unknown or expired."""
        chat_id, _ = self._open.get(query_id, (None, None))
        return chat_id

    def answer(self, query_id: str, text: str) -> None:
        """Hand the bot's answer to the phone; a second answer to one tap changes nothing."""
        _, waiting = self._open[query_id]
        if not waiting.done():
            waiting.set_result(text)

    async def wait(self, query_id: str, seconds: float) -> str | None:
        """Give what the bot answered, None if it did not in time."""
        try:
            return await asyncio.wait_for(asyncio.shield(self._open[query_id][1]), seconds)
        except TimeoutError:
            return None
