"""What python-telegram-bot makes of every answer, and what we make of that: the real client over a scripted wire."""

import asyncio
import json
import logging
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.notification.domain.outcome import (
    BotRefused,
    CardGone,
    ChatMoved,
    Delivered,
    Limited,
    Outcome,
    Refused,
    RetryLater,
    SubscriberGone,
    Uncertain,
    Unparsable,
)
from tests.telegram_answers import SENT, TOKEN, Wire, outcome_of, raising, refusing


async def test_a_message_leaves_with_its_markup_and_buttons() -> None:
    seen: list[httpx.Request] = []

    def wire(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"ok": True, "result": SENT})

    outcome = await outcome_of(wire)

    assert outcome == Delivered(message_id=9)
    fields = dict(httpx.QueryParams(seen[1].content.decode()))
    assert [request.url.path for request in seen] == [f"/bot{TOKEN}/getMe", f"/bot{TOKEN}/sendMessage"]
    assert fields["parse_mode"] == "HTML"
    assert fields["disable_notification"].lower() == "true"
    assert json.loads(fields["reply_markup"]) == {
        "inline_keyboard": [[{"text": "Details", "callback_data": "o:42:3:d"}]]
    }


@pytest.mark.parametrize("result", [SENT, True])
async def test_an_edit_is_delivered_whichever_way_telegram_says_so(result: object) -> None:
    outcome = await outcome_of(lambda _: httpx.Response(200, json={"ok": True, "result": result}), editing=True)

    assert outcome == Delivered()


@pytest.mark.parametrize(
    ("wire", "outcome"),
    [
        (refusing(400, "Bad Request: message is not modified: specified new message content"), Delivered()),
        (refusing(400, "Bad Request: message to edit not found"), CardGone()),
        (refusing(400, "Bad Request: message can't be edited"), CardGone()),
        (refusing(400, "Bad Request: can't parse entities: Unsupported start tag"), Unparsable()),
        (refusing(400, "Bad Request: chat not found"), Refused("Chat not found")),
        (refusing(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-100), ChatMoved(-100)),
        (refusing(401, "Unauthorized"), BotRefused("token not accepted")),
        (refusing(404, "Not Found"), BotRefused("token not accepted")),
        (
            refusing(403, "Forbidden: bot was blocked by the user"),
            SubscriberGone("Forbidden: bot was blocked by the user"),
        ),
        (refusing(403, "Forbidden: user is deactivated"), SubscriberGone("Forbidden: user is deactivated")),
        (
            refusing(403, "Forbidden: not enough rights to send text messages"),
            Refused("Forbidden: not enough rights to send text messages"),
        ),
        (refusing(409, "Conflict: terminated by other getUpdates"), Refused("refused with status 409")),
        (refusing(413, "Request Entity Too Large"), Refused("refused with status 413")),
        (
            refusing(429, "Too Many Requests: retry after 17", retry_after=17),
            Limited(timedelta(seconds=17)),
        ),
        (refusing(429, "Too Many Requests"), Limited(None)),
        (refusing(400, "Bad Request", retry_after=3), Limited(timedelta(seconds=3))),
        (
            refusing(429, "Too Many Requests: retry after 0", retry_after=0),
            Limited(timedelta(0)),
        ),
    ],
)
async def test_a_definite_answer_has_a_definite_outcome(wire: Wire, outcome: Outcome) -> None:
    assert await outcome_of(wire, editing=True) == outcome


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
async def test_a_request_that_never_left_is_retried(error: type[httpx.TransportError]) -> None:
    assert await outcome_of(raising(error)) == RetryLater(error.__name__)


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadTimeout,
        httpx.ReadError,
        httpx.WriteTimeout,
        httpx.WriteError,
        httpx.CloseError,
        httpx.RemoteProtocolError,
        httpx.LocalProtocolError,
        httpx.DecodingError,
    ],
)
async def test_a_request_that_may_have_left_is_uncertain(error: type[httpx.TransportError]) -> None:
    assert await outcome_of(raising(error)) == Uncertain(error.__name__)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.Response(500, json={"ok": False, "error_code": 500, "description": "oops"}), "status 500"),
        (httpx.Response(502, html="<html>502 Bad Gateway</html>"), "status 502"),
        (httpx.Response(403, html="<html>the proxy says no</html>"), "status 403"),
        (httpx.Response(404, text="no such page"), "status 404"),
        (httpx.Response(400, json=["not", "telegram"]), "status 400"),
        (httpx.Response(302, headers={"location": "http://elsewhere/"}), "status 302"),
        (httpx.Response(429, text="slow down"), "status 429"),
    ],
)
async def test_an_answer_that_is_not_telegrams_is_uncertain(answer: httpx.Response, reason: str) -> None:
    assert await outcome_of(lambda _: answer) == Uncertain(f"{reason} from a server")


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"[]", b'{"ok": true}', b'{"ok": true, "result": {}}', b'{"ok": true, "result": 7}']
)
async def test_a_success_that_cannot_be_read_is_uncertain(body: bytes) -> None:
    outcome = await outcome_of(lambda _: httpx.Response(200, content=body))

    assert isinstance(outcome, Uncertain)


async def test_an_answer_that_trickles_for_ever_is_uncertain() -> None:
    class Trickle(httpx.AsyncByteStream):
        async def __aiter__(self) -> Any:
            await asyncio.Event().wait()
            yield b""

    outcome = await outcome_of(lambda _: httpx.Response(200, stream=Trickle()), call_seconds=0.05)

    assert outcome == Uncertain("no answer in time")


async def test_neither_the_token_nor_what_was_said_reaches_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    await outcome_of(lambda _: httpx.Response(200, json={"ok": True, "result": SENT}))
    await outcome_of(lambda _: httpx.Response(200, content=b"<html>Order 42</html>"))
    await outcome_of(raising(httpx.ReadTimeout))

    assert TOKEN not in caplog.text
    assert "Order 42" not in caplog.text
    assert "70" not in caplog.text
