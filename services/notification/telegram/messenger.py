"""Carries messages through python-telegram-bot's Bot. Its rate limiter is off: when to call is decided before."""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from typing import Any

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.constants import ParseMode

from chassis.logs import get_logger
from services.notification import metrics
from services.notification.domain.message import Button, Message
from services.notification.domain.outcome import Delivered, Outcome, Uncertain
from services.notification.telegram.outcomes import outcome_of
from services.notification.telegram.request import BotApiRequest

log = get_logger()

_WARM_UP_SECONDS_MAX = 2.0
_TALKATIVE = ("telegram", "httpx", "httpcore")
"""Libraries that log chat ids, texts or the URL with the token in it; what there is to say is an outcome."""


class TelegramMessenger:
    """A component. Telegram may be away when the process starts.

    `base_url` is the Bot API's address without a path. No call takes longer than `call_seconds`.
    """

    name = "telegram messenger"

    def __init__(self, *, token: str, base_url: str, request: BotApiRequest, call_seconds: float) -> None:
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._request = request
        self._bot = Bot(token, base_url=f"{base_url.rstrip('/')}/bot", request=request, get_updates_request=request)
        self._call_seconds = call_seconds

    async def start(self) -> None:
        """Make the connection pool usable, and ask who we are, so that the first message leaves as fast as the next.

        Calls are spaced; one that takes longer than the others arrives among those behind it. No answer is no matter.
        """
        await self._request.initialize()
        try:
            async with asyncio.timeout(min(self._call_seconds, _WARM_UP_SECONDS_MAX)):
                await self._bot.get_me()
        except Exception as error:  # noqa: BLE001 - the boundary of an outside call: the first message will tell what it means
            log.info("messenger.cold", reason=type(error).__name__)

    async def stop(self) -> None:
        """Close idle connections."""
        await self._request.shutdown()

    async def send(self, chat_id: int, message: Message) -> Outcome:
        """Send a new message."""
        return await self._call(self._send(chat_id, message))

    async def edit(self, chat_id: int, message_id: int, message: Message) -> Outcome:
        """Change a message sent before."""
        return await self._call(self._edit(chat_id, message_id, message))

    async def edit_buttons(self, chat_id: int, message_id: int, buttons: Sequence[Button], per_row: int) -> Outcome:
        """Change the buttons of a message and leave its words."""
        return await self._call(self._edit_buttons(chat_id, message_id, buttons, per_row))

    async def end_tap(self, query_id: str, text: str, *, stays: bool) -> Outcome:
        """Tell a phone that its tap was heard, with a word or (empty) without one."""
        return await self._call(self._end_tap(query_id, text, stays=stays))

    async def _send(self, chat_id: int, message: Message) -> Outcome:
        sent = await self._bot.send_message(chat_id=chat_id, disable_notification=message.silent, **_contents(message))
        return Delivered(sent.message_id)

    async def _edit(self, chat_id: int, message_id: int, message: Message) -> Outcome:
        await self._bot.edit_message_text(chat_id=chat_id, message_id=message_id, **_contents(message))
        return Delivered()

    async def _edit_buttons(self, chat_id: int, message_id: int, buttons: Sequence[Button], per_row: int) -> Outcome:
        await self._bot.edit_message_reply_markup(
            chat_id=chat_id, message_id=message_id, reply_markup=_keyboard(buttons, per_row)
        )
        return Delivered()

    async def _end_tap(self, query_id: str, text: str, *, stays: bool) -> Outcome:
        await self._bot.answer_callback_query(query_id, text or None, show_alert=stays)
        return Delivered()

    async def _call(self, call: Awaitable[Outcome]) -> Outcome:
        """Await one request; whatever it raises is an outcome, because its row is already `calling`."""
        try:
            with metrics.CALL_SECONDS.time():
                async with asyncio.timeout(self._call_seconds):
                    return await call
        except TimeoutError:
            return Uncertain("no answer in time")
        except Exception as error:  # noqa: BLE001 - the boundary of an outside call: anything may come back, all of it is an outcome
            return outcome_of(error)


def _contents(message: Message) -> dict[str, Any]:
    return {
        "text": message.text,
        "parse_mode": ParseMode.HTML if message.html else None,
        "reply_markup": _keyboard(message.buttons, message.per_row),
    }


def _keyboard(buttons: Sequence[Button], per_row: int) -> InlineKeyboardMarkup | None:
    made = [InlineKeyboardButton(button.label, callback_data=button.data) for button in buttons]
    rows = [made[start : start + per_row] for start in range(0, len(made), per_row)]
    return InlineKeyboardMarkup(rows) if rows else None
