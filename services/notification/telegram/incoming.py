"""From Telegram's updates to requests: what was typed, what was tapped, who went away."""

from collections.abc import Callable

from telegram import CallbackQuery, ChatMemberUpdated, Message, Update
from telegram.constants import ChatMemberStatus, ChatType, UpdateType

from services.notification.domain.request import (
    ID_MAX,
    Asked,
    AskLanguage,
    AskMute,
    Help,
    Request,
    ShowOrder,
    ShowOrders,
    StaleButton,
    Start,
    Stop,
    Unknown,
    WentAway,
    Why,
    pressed,
)
from services.notification.domain.seal import Seal

KINDS = (UpdateType.MESSAGE, UpdateType.CALLBACK_QUERY, UpdateType.MY_CHAT_MEMBER)
"""The updates we ask Telegram for."""

_GONE = frozenset({ChatMemberStatus.BANNED, ChatMemberStatus.LEFT})

_COMMANDS: dict[str, Callable[[str], Request]] = {
    "/start": lambda rest: Start(rest or None),
    "/orders": lambda _: ShowOrders(),
    "/order": lambda rest: ShowOrder(_number(rest)),
    "/mute": lambda _: AskMute(),
    "/language": lambda _: AskLanguage(),
    "/why": lambda _: Why(),
    "/stop": lambda _: Stop(),
    "/help": lambda _: Help(),
}


def asked(update: Update, *, username: str, seal: Seal) -> Asked | None:
    """Read an update; None if it asks nothing of us."""
    if update.callback_query is not None:
        return _tapped(update.update_id, update.callback_query, seal)
    if update.message is not None:
        return _written(update.update_id, update.message, username)
    if update.my_chat_member is not None:
        return _moved(update.update_id, update.my_chat_member)
    return None


def _tapped(update_id: int, query: CallbackQuery, seal: Seal) -> Asked:
    """Every tap is somebody waiting: there is no tap that asks nothing."""
    message = query.message
    chat_id = query.from_user.id if message is None else message.chat.id
    data = seal.open(chat_id, query.data or "")
    return Asked(
        update_id=update_id,
        chat_id=chat_id,
        private=message is None or message.chat.type == ChatType.PRIVATE,
        language=query.from_user.language_code or "",
        request=StaleButton() if data is None or message is None else pressed(data),
        query_id=query.id,
        message_id=None if message is None else message.message_id,
    )


def _written(update_id: int, message: Message, username: str) -> Asked | None:
    request = _request(message.text or "", username)
    if request is None:
        return None
    return Asked(
        update_id=update_id,
        chat_id=message.chat.id,
        private=message.chat.type == ChatType.PRIVATE,
        language=(message.from_user.language_code if message.from_user else None) or "",
        request=request,
    )


def _request(text: str, username: str) -> Request | None:
    """Read what was typed; None if it is another bot's command. A bare number is an order's."""
    command, _, rest = text.strip().partition(" ")
    if not command.startswith("/"):
        return Unknown() if _number(text) is None else ShowOrder(_number(text))
    name, _, bot = command.partition("@")
    if bot and bot.lower() != username.lower():
        return None
    read = _COMMANDS.get(name.lower())
    return Unknown() if read is None else read(rest.strip())


def _number(text: str) -> int | None:
    digits = text.strip().removeprefix("#")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 20):  # noqa: PLR2004 - the digits of 2^63
        return None
    return int(digits) if 0 < int(digits) <= ID_MAX else None


def _moved(update_id: int, change: ChatMemberUpdated) -> Asked | None:
    if change.new_chat_member.status not in _GONE:
        return None
    return Asked(
        update_id=update_id,
        chat_id=change.chat.id,
        private=change.chat.type == ChatType.PRIVATE,
        language="",
        request=WentAway(),
    )
