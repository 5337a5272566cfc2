"""Every way the Bot API can end a call, on a scripted wire under the real client library, and what we make of it.

`python -m tests.telegram_answers` writes docs/reference/telegram-outcomes.md, which a test holds against the code.
"""

import asyncio
import dataclasses
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from services.notification.domain.change import Status
from services.notification.domain.message import Button, Message
from services.notification.domain.notification import Call, Notification, State
from services.notification.domain.outcome import Outcome
from services.notification.domain.settlement import (
    AT_ONCE,
    CardLost,
    CardShown,
    ChatIsElsewhere,
    ChatIsGone,
    RetryPolicy,
    Settlement,
    settle,
)
from services.notification.telegram.messenger import TelegramMessenger
from services.notification.telegram.request import BotApiRequest

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "telegram-outcomes.md"
TOKEN = "1000000001:secret-of-the-test"
MESSAGE = Message(text="<b>Order 42</b>", html=True, silent=True, buttons=(Button("Details", "o:42:3:d"),))
SENT = {"message_id": 9, "date": 1_800_000_000, "chat": {"id": 70, "type": "private"}, "text": "Order 42"}

Wire = Callable[[httpx.Request], httpx.Response]


async def outcome_of(wire: Wire, *, editing: bool = False, call_seconds: float = 5.0) -> Outcome:
    """What one call over this wire comes to."""
    request = BotApiRequest(connections_max=2, connect_seconds=1, read_seconds=1, transport=httpx.MockTransport(wire))
    messenger = TelegramMessenger(token=TOKEN, base_url="http://telegram/", request=request, call_seconds=call_seconds)
    await messenger.start()
    try:
        return await (messenger.edit(70, 9, MESSAGE) if editing else messenger.send(70, MESSAGE))
    finally:
        await messenger.stop()


def refusing(code: int, description: str, **parameters: int) -> Wire:
    """A wire on which every call is refused in Telegram's JSON."""
    body: dict[str, Any] = {"ok": False, "error_code": code, "description": description}
    if parameters:
        body["parameters"] = parameters
    return lambda _: httpx.Response(code, json=body)


def raising(error: type[httpx.TransportError]) -> Wire:
    """A wire that breaks."""

    def wire(request: httpx.Request) -> httpx.Response:
        raise error("scripted", request=request)

    return wire


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes back, in words, and as a wire; `editing` says which of the two calls it can come back for."""

    what: str
    wire: Wire
    sending: bool = True
    editing: bool = True


ANSWERS = (
    Answer("200", lambda _: httpx.Response(200, json={"ok": True, "result": SENT})),
    Answer("400 message is not modified", refusing(400, "Bad Request: message is not modified"), sending=False),
    Answer("400 message to edit not found", refusing(400, "Bad Request: message to edit not found"), sending=False),
    Answer("400 message can't be edited", refusing(400, "Bad Request: message can't be edited"), sending=False),
    Answer("connection refused", raising(httpx.ConnectError)),
    Answer("connection not made in time", raising(httpx.ConnectTimeout)),
    Answer("no connection of the pool came free", raising(httpx.PoolTimeout)),
    Answer("429 retry after 17", refusing(429, "Too Many Requests: retry after 17", retry_after=17)),
    Answer("429 without a time", refusing(429, "Too Many Requests")),
    Answer("403 blocked by the user", refusing(403, "Forbidden: bot was blocked by the user")),
    Answer("403 user is deactivated", refusing(403, "Forbidden: user is deactivated")),
    Answer("403 bot was kicked", refusing(403, "Forbidden: bot was kicked from the group chat")),
    Answer("403 anything else", refusing(403, "Forbidden: not enough rights")),
    Answer("400 migrate_to_chat_id", refusing(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-100)),
    Answer("400 chat not found", refusing(400, "Bad Request: chat not found")),
    Answer("400 can't parse entities", refusing(400, "Bad Request: can't parse entities: unclosed tag")),
    Answer("400 anything else", refusing(400, "Bad Request: message is too long")),
    Answer("401", refusing(401, "Unauthorized")),
    Answer("404", refusing(404, "Not Found")),
    Answer("another 4xx in Telegram's JSON", refusing(413, "Request Entity Too Large")),
    Answer("500 in Telegram's JSON", refusing(500, "Internal Server Error")),
    Answer("502, a gateway's page", lambda _: httpx.Response(502, html="<html>502 Bad Gateway</html>")),
    Answer("404, a proxy's page", lambda _: httpx.Response(404, html="<html>404</html>")),
    Answer("200 that is not JSON", lambda _: httpx.Response(200, content=b"<html>")),
    Answer("read timeout", raising(httpx.ReadTimeout)),
    Answer("closed without an answer", raising(httpx.RemoteProtocolError)),
    Answer("broken while writing", raising(httpx.WriteError)),
)
"""In the order of the design's table: first what is well, then what never left, was refused, and what nobody knows."""

_HEAD = """\
# What Telegram answers, and what becomes of the row

Generated from the code: each answer is put on the wire under the real client library, classified by
`services/notification/telegram/outcomes.py` and folded into a row by `services/notification/domain/settlement.py`.
A test fails when this page is not what they say; `python -m tests.telegram_answers` writes it anew.

The line is the socket: what certainly never left is repeated, what may have been accepted is not, unless it is an
edit, which changes nothing twice. "Doubling" runs from `NOTIFICATION_RETRY_SECONDS_MIN` to `…_MAX`. All of it is met
against the stand-in too: `tests/integration/notification/test_outcomes.py`, `test_limits.py`.

| answer | outcome | a send | an edit |
|---|---|---|---|
"""


async def page() -> str:
    """The page as the code has it now."""
    return _HEAD + "".join([f"{await _line(answer)}\n" for answer in ANSWERS])


async def _line(answer: Answer) -> str:
    outcomes = {editing: await outcome_of(answer.wire, editing=editing) for editing in (False, True)}
    sent = _told(outcomes[False], Call.SEND_CARD) if answer.sending else "–"
    edited = _told(outcomes[True], Call.EDIT_CARD) if answer.editing else "–"
    return f"| {answer.what} | {type(outcomes[True]).__name__} | {sent} | {edited} |"


def _told(outcome: Outcome, call: Call) -> str:
    """What settling does, in words: once, and once more to tell what a repeat of it does."""
    retry = RetryPolicy(first=timedelta(seconds=1), longest=timedelta(seconds=30), lost_edits_max=8)
    once = settle(_calling(call), outcome, retry)
    return ", ".join(_words(once, outcome, call, retry))


def _words(once: Settlement, outcome: Outcome, call: Call, retry: RetryPolicy) -> Iterator[str]:
    row = once.notification
    yield f"**{row.state}**" if row.state is not State.PLANNED else "planned again"
    if row.state is State.PLANNED and once.after > AT_ONCE:
        second = settle(dataclasses.replace(_calling(call), attempts=2, lost_edits=1), outcome, retry)
        doubled = second.after == 2 * once.after
        yield "doubling" if doubled else f"after {once.after.total_seconds():.0f} s"
    if row.plain:
        yield "as plain text, then failed"
    if row.lost_edits:
        yield f"{retry.lost_edits_max} times at most, then uncertain"
    yield from _effect(once)


def _effect(once: Settlement) -> Iterator[str]:
    match once.effect:
        case CardLost():
            yield "as a new card"
        case ChatIsGone():
            yield "the link ends, what else is planned is `no_subscriber` until `/start`"
        case ChatIsElsewhere():
            yield "links, rows and lane follow to the new chat"
        case CardShown() | None:
            pass
    if once.stop is not None:
        yield "the process ends with 78"


def _calling(call: Call) -> Notification:
    planned = Notification(
        order_id=42,
        version=3,
        user_id=7,
        chat_id=70,
        status=Status.NEW,
        items=3,
        audible=False,
        moment=datetime(2026, 11, 21, tzinfo=UTC),
    )
    return planned.begin(call, epoch=1)


if __name__ == "__main__":
    os.environ.setdefault("PTB_TIMEDELTA", "1")
    PAGE.write_text(asyncio.run(page()), encoding="utf-8")
