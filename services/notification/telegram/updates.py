"""Asks Telegram what people did, through python-telegram-bot's Bot.

The library's own Updater is not used: it confirms an update when it has read it, we when it is handled.
"""

from collections.abc import Mapping, Sequence

from telegram import Bot, BotCommand, Update

from services.notification.telegram.incoming import KINDS
from services.notification.telegram.request import BotApiRequest

_ANSWER_SECONDS = 5.0
"""How long the answer to a long poll may take on top of its own time."""


class TelegramUpdates:
    """A component. Every method raises telegram.error.TelegramError, as `telegram/outcomes.py` reads it."""

    name = "telegram updates"

    def __init__(self, *, token: str, base_url: str, request: BotApiRequest) -> None:
        self._request = request
        self._bot = Bot(token, base_url=f"{base_url.rstrip('/')}/bot", request=request, get_updates_request=request)

    async def start(self) -> None:
        """Make the connection pool usable."""
        await self._request.initialize()

    async def stop(self) -> None:
        """Close idle connections."""
        await self._request.shutdown()

    async def introduce(self, commands: Mapping[str, Mapping[str, str]]) -> str:
        """Take over from any webhook, tell phones the commands by language ("" for all others); the bot's username."""
        me = await self._bot.get_me()
        await self._bot.delete_webhook()
        for language, explained in commands.items():
            menu = [BotCommand(command, explanation) for command, explanation in explained.items()]
            await self._bot.set_my_commands(menu, language_code=language or None)
        return me.username or ""

    async def wait(self, offset: int | None, seconds: int) -> Sequence[Update]:
        """Return what people did since, at once if there is something, else as soon as there is, `[]` after the time.

        Asking from an offset on confirms everything before it.
        """
        return await self._bot.get_updates(
            offset=offset, timeout=seconds, read_timeout=_ANSWER_SECONDS, allowed_updates=list(KINDS)
        )
