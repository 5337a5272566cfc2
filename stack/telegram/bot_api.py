"""The methods of the Bot API this stand-in speaks, from parameters to the answer.

Order of judgement: token, scripted refusal, chat, rate, contents. What passes is accepted: written to the log, shown
on the phones, and only then the script may lose the answer.
"""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stack.telegram import parameters as read
from stack.telegram import refusals
from stack.telegram.bell import Bell
from stack.telegram.calls import LOST, Calls
from stack.telegram.chats import Chat, Chats, Message, edited_message
from stack.telegram.journal import Entry, Journal
from stack.telegram.menu import Menu
from stack.telegram.parameters import Parameters
from stack.telegram.rates import Rates
from stack.telegram.refusals import ApiRefusal
from stack.telegram.script import LOSING, Script, Step
from stack.telegram.taps import Taps
from stack.telegram.updates import Updates
from stack.telegram.wire import BotIdentity, message_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_OK = 200
_POLL_SECONDS_MAX = 50
_UPDATES_MAX = 100
_NOTICE_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True)
class Result:
    """All is well; `value` goes into `{"ok": true, "result": …}`."""

    value: Any


@dataclass(frozen=True, slots=True)
class LostAnswer:
    """The call may have been accepted, and the caller will not learn it; `step` says in which way."""

    step: Step


Answer = Result | LostAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """A judged call, ready to be accepted."""

    method: str
    chat: Chat
    message_id: int
    text: str
    payload: Parameters
    step: Step

    def facts(self) -> dict[str, Any]:
        """Give what the log says of it."""
        return {
            "method": self.method,
            "chat_id": self.chat.chat_id,
            "message_id": self.message_id,
            "text": self.text,
            "payload": self.payload,
        }


class BotApi:
    """One bot and everybody it talks to."""

    def __init__(
        self,
        *,
        bot: BotIdentity,
        chats: Chats,
        updates: Updates,
        journal: Journal,
        script: Script,
        rates: Rates,
        calls: Calls,
        taps: Taps,
        bell: Bell,
        menu: Menu,
        strict_chats: bool,
    ) -> None:
        self._bot = bot
        self._chats = chats
        self._updates = updates
        self._journal = journal
        self._script = script
        self._rates = rates
        self._calls = calls
        self._strict_chats = strict_chats
        self._taps = taps
        self._bell = bell
        self._menu = menu
        self._methods: dict[str, Callable[[Parameters], Awaitable[Answer]]] = {
            "sendmessage": self._send_message,
            "editmessagetext": self._edit_message_text,
            "editmessagereplymarkup": self._edit_message_reply_markup,
            "deletemessage": self._delete_message,
            "answercallbackquery": self._answer_callback_query,
            "getupdates": self._get_updates,
            "getme": self._get_me,
            "getchat": self._get_chat,
            "getmycommands": self._get_my_commands,
            "setmycommands": self._set_my_commands,
            "deletemycommands": self._delete_my_commands,
            "getwebhookinfo": self._get_webhook_info,
            **dict.fromkeys(("deletewebhook", "sendchataction", "logout", "close"), self._yes),
        }

    async def call(self, method: str, parameters: Parameters) -> Answer:
        """Carry one call out; raise ApiRefusal for every `{"ok": false}`. Method names ignore case."""
        run = self._methods.get(method.lower())
        if run is None:
            raise refusals.method_unknown()
        at = self._calls.now()
        try:
            answer = await run(parameters)
        except ApiRefusal as refusal:
            self._note(at, method, parameters, refusal.code, refusal.parameters.get("retry_after"))
            raise
        self._note(at, method, parameters, LOST if isinstance(answer, LostAnswer) else _OK)
        return answer

    def record(self, facts: dict[str, Any]) -> Entry:
        """Write a line and let it take effect; the only way anything changes."""
        entry = self._journal.append(facts)
        self._chats.apply(entry)
        self._updates.apply(entry)
        self._menu.apply(entry)
        self._bell.ring()
        return entry

    def _note(self, at: float, method: str, parameters: Parameters, code: int, retry_after: int | None = None) -> None:
        chat_id = str(parameters.get("chat_id", ""))
        if chat_id.lstrip("-").isdigit():
            self._calls.note(at=at, method=method, chat_id=int(chat_id), code=code, retry_after=retry_after)

    async def _send_message(self, parameters: Parameters) -> Answer:
        chat, step = await self._admitted("sendMessage", parameters)
        self._within_rates(chat)
        formatted = read.formatted_text(parameters)
        markup = read.inline_keyboard(parameters)
        return await self._accept(
            _Call(
                method="sendMessage",
                chat=chat,
                message_id=chat.last_message_id + 1,
                text=formatted.text,
                payload=_payload(parameters, markup),
                step=step,
            )
        )

    async def _edit_message_text(self, parameters: Parameters) -> Answer:
        chat, step = await self._admitted("editMessageText", parameters)
        self._within_rates(chat)
        message_id = read.message_id(parameters)
        known = _fingerprint(chat, message_id)
        formatted = read.formatted_text(parameters)
        markup = read.inline_keyboard(parameters)
        _refuse_if_same(known, str(parameters["text"]), parameters.get("parse_mode"), markup)
        return await self._accept(
            _Call(
                method="editMessageText",
                chat=chat,
                message_id=message_id,
                text=formatted.text,
                payload=_payload(parameters, markup),
                step=step,
            )
        )

    async def _edit_message_reply_markup(self, parameters: Parameters) -> Answer:
        chat, step = await self._admitted("editMessageReplyMarkup", parameters)
        self._within_rates(chat)
        message_id = read.message_id(parameters)
        known = _fingerprint(chat, message_id)
        markup = read.inline_keyboard(parameters)
        shown = chat.messages.get(message_id)
        if shown is not None:
            _refuse_if_same(known, shown.source, shown.parse_mode, markup)
        return await self._accept(
            _Call(
                method="editMessageReplyMarkup",
                chat=chat,
                message_id=message_id,
                text="" if shown is None else shown.formatted().text,
                payload=_payload(parameters, markup),
                step=step,
            )
        )

    async def _delete_message(self, parameters: Parameters) -> Answer:
        chat, step = await self._admitted("deleteMessage", parameters)
        message_id = read.message_id(parameters)
        if message_id not in chat.fingerprints:
            raise refusals.bad_request("message to delete not found")
        return await self._accept(
            _Call(
                method="deleteMessage",
                chat=chat,
                message_id=message_id,
                text="",
                payload=_payload(parameters, None),
                step=step,
            )
        )

    async def _answer_callback_query(self, parameters: Parameters) -> Answer:
        query_id, text = str(parameters.get("callback_query_id", "")), str(parameters.get("text", ""))
        chat_id = self._taps.chat_of(query_id)
        if chat_id is None:
            raise refusals.bad_request("query is too old and response timeout expired or query ID is invalid")
        if len(text) > _NOTICE_CHARACTERS_MAX:
            raise refusals.bad_request("MESSAGE_TOO_LONG")
        alert = read.flag(parameters, "show_alert")
        facts = {"method": "answerCallbackQuery", "chat_id": chat_id, "query_id": query_id, "text": text}
        self.record(facts | {"alert": alert})
        self._taps.answer(query_id, text)
        return Result(value=True)

    async def _get_updates(self, parameters: Parameters) -> Answer:
        offset = read.integer(parameters, "offset", 0)
        if self._updates.confirms(offset):
            self.record({"method": "getUpdates", "offset": offset})
        kinds = read.structured(parameters, "allowed_updates")
        found = await self._updates.wait(
            limit=min(max(read.integer(parameters, "limit", _UPDATES_MAX), 1), _UPDATES_MAX),
            timeout_seconds=min(max(read.integer(parameters, "timeout", 0), 0), _POLL_SECONDS_MAX),
            allowed=frozenset(kinds if isinstance(kinds, list) else ()),
        )
        return Result(found)

    async def _get_me(self, _: Parameters) -> Answer:
        step = self._script.next(None, "getMe")
        refusal = step.refusal()
        if refusal is not None:
            raise refusal
        return Result(self._bot.me())

    async def _get_chat(self, parameters: Parameters) -> Answer:
        chat = self._chats.find(read.chat_id(parameters))
        if chat is None:
            raise refusals.chat_not_found()
        return Result({"id": chat.chat_id, "type": chat.kind, "accent_color_id": 0, "max_reaction_count": 11})

    async def _get_my_commands(self, parameters: Parameters) -> Answer:
        return Result(self._menu.of(_language(parameters)))

    async def _set_my_commands(self, parameters: Parameters) -> Answer:
        commands = read.structured(parameters, "commands")
        if not isinstance(commands, list) or not all(isinstance(each, dict) for each in commands):
            raise refusals.bad_request("can't parse commands JSON object")
        self._announce({"method": "setMyCommands", "language_code": _language(parameters), "commands": commands})
        return Result(value=True)

    async def _delete_my_commands(self, parameters: Parameters) -> Answer:
        self._announce({"method": "deleteMyCommands", "language_code": _language(parameters), "commands": []})
        return Result(value=True)

    def _announce(self, facts: dict[str, Any]) -> None:
        """Write a line only if it changes something: a bot says the same at every start."""
        if self._menu.of(facts["language_code"]) != facts["commands"]:
            self.record(facts)

    async def _get_webhook_info(self, _: Parameters) -> Answer:
        return Result({"url": "", "has_custom_certificate": False, "pending_update_count": 0})

    async def _yes(self, _: Parameters) -> Answer:
        return Result(value=True)

    async def _admitted(self, method: str, parameters: Parameters) -> tuple[Chat, Step]:
        """Find the chat and let the script and the person refuse; nothing is written yet."""
        chat_id = read.chat_id(parameters)
        step = self._script.next(chat_id, method)
        refusal = step.refusal()
        if refusal is not None:
            await asyncio.sleep(step.delay_seconds)
            raise refusal
        chat = self._chats.get(chat_id)
        if self._strict_chats and self._chats.find(chat_id) is None:
            raise refusals.chat_not_found()
        if chat.blocked:
            raise refusals.blocked()
        return chat, step

    def _within_rates(self, chat: Chat) -> None:
        wait = self._rates.take(chat.chat_id)
        if wait is not None:
            raise refusals.too_many_requests(wait)

    async def _accept(self, call: _Call) -> Answer:
        step = call.step
        if step.answer in LOSING and not step.accepted:
            return LostAnswer(step)
        entry = self.record(call.facts())
        if step.delay_seconds:
            await asyncio.sleep(step.delay_seconds)
        if step.answer in LOSING:
            return LostAnswer(step)
        if call.method == "deleteMessage":
            return Result(value=True)
        chat = self._chats.get(call.chat.chat_id)
        message = chat.messages.get(call.message_id) or edited_message(entry)
        return Result(message_json(chat, message, self._bot))


def _language(parameters: Parameters) -> str:
    return str(parameters.get("language_code") or "")


def _payload(parameters: Parameters, markup: dict[str, Any] | None) -> Parameters:
    """Keep the call as it was meant: structured values as values, no empty ones."""
    payload = {name: value for name, value in parameters.items() if value not in (None, "")}
    for name in ("link_preview_options", "reply_parameters", "entities"):
        if name in payload:
            payload[name] = read.structured(payload, name)
    payload.pop("reply_markup", None)
    if markup:
        payload["reply_markup"] = markup
    return payload


def _fingerprint(chat: Chat, message_id: int) -> int:
    known = chat.fingerprints.get(message_id)
    if known is None:
        raise refusals.bad_request("message to edit not found")
    return known


def _refuse_if_same(known: int, source: str, parse_mode: str | None, markup: dict[str, Any] | None) -> None:
    wanted = Message(0, 0, by_bot=True, source=source, parse_mode=parse_mode or None, markup=markup)
    if wanted.fingerprint() == known:
        raise refusals.not_modified()
