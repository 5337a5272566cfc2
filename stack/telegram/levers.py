"""Everything beside the Bot API: the phone page, its live events, the acceptance log and the fault script.

What changes something takes JSON only: a page of another site cannot send that without being asked first.
"""

import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from stack.telegram.calls import Calls
from stack.telegram.journal import Journal
from stack.telegram.phone import PHONES_MAX, NoSuchButton, Phone
from stack.telegram.rates import RateLimits, Rates
from stack.telegram.script import BadScript, Script, parse_steps
from stack.telegram.updates import Updates

_PAGE_LINES = 500
_BODY_BYTES_MAX = 1_048_576
_TEXT_MAX = 4_096
_CHAT = re.compile(r"-?[0-9]{1,19}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")
_PAGE = Path(__file__).with_name("phone.html")


class BadLever(ValueError):
    """A request to a lever that cannot be followed; the text says why."""


class Levers:
    """Routes over the phone, the log and the script."""

    def __init__(
        self, *, phone: Phone, journal: Journal, script: Script, rates: Rates, calls: Calls, updates: Updates
    ) -> None:
        self._phone = phone
        self._journal = journal
        self._script = script
        self._rates = rates
        self._calls = calls
        self._updates = updates

    def routes(self) -> list[Route]:
        """Give the routes in the order they are matched."""
        return [
            Route("/", self._page),
            Route("/_/accepted", self._accepted),
            Route("/_/script", self._script_left),
            Route("/_/script", self._script_replace, methods=["POST"]),
            Route("/_/limits", self._limits),
            Route("/_/limits", self._limits_replace, methods=["POST"]),
            Route("/_/calls", self._called),
            Route("/_/updates", self._updates_seen),
            Route("/_/phone/events", self._events),
            Route("/_/phone/{chat_id}", self._screen),
            Route("/_/phone/{chat_id}/message", self._write, methods=["POST"]),
            Route("/_/phone/{chat_id}/tap", self._tap, methods=["POST"]),
            Route("/_/phone/{chat_id}/block", self._block, methods=["POST"]),
            Route("/_/phone/{chat_id}/language", self._speak, methods=["POST"]),
        ]

    async def _page(self, _: Request) -> Response:
        nonce = secrets.token_urlsafe(16)
        policy = (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        page = _PAGE.read_text(encoding="utf-8").replace("{{nonce}}", nonce)
        return HTMLResponse(page, headers={"content-security-policy": policy, "cache-control": "no-store"})

    async def _accepted(self, request: Request) -> Response:
        """The accepted bot calls after line `since`, as one JSON list; with `limit`, page on from the last `seq`."""
        since, limit = _query_number(request, "since", 0), _query_number(request, "limit", 0)
        return StreamingResponse(_json_list(self._journal, since, limit or None), media_type="application/json")

    async def _updates_seen(self, _: Request) -> Response:
        """How many updates the bot has not confirmed, and how often it asked while it was asking already."""
        return _json({"waiting": self._updates.waiting, "conflicts": self._updates.conflicts})

    async def _script_left(self, _: Request) -> Response:
        return _json({"remaining": self._script.remaining()})

    async def _script_replace(self, request: Request) -> Response:
        body = await _object(request)
        chat_id = body.get("chat_id")
        if not isinstance(chat_id, int | None):
            raise BadLever("chat_id: expected a whole number, or null for every chat")
        try:
            self._script.replace(chat_id, parse_steps(body.get("steps")))
        except BadScript as error:
            raise BadLever(str(error)) from error
        return _json({"remaining": self._script.remaining()})

    async def _limits(self, _: Request) -> Response:
        return _json(asdict(self._rates.limits))

    async def _limits_replace(self, request: Request) -> Response:
        """Enforce these limits from now on; `{}` enforces none."""
        body = await _object(request)
        unknown = body.keys() - asdict(RateLimits()).keys()
        wrong = [name for name, value in body.items() if not isinstance(value, int) or value < 0]
        if unknown or wrong:
            raise BadLever(f"limits: expected {', '.join(asdict(RateLimits()))}, whole numbers; 0 = no limit")
        self._rates.limits = RateLimits(**body)
        return _json(asdict(self._rates.limits))

    async def _called(self, request: Request) -> Response:
        """Every call for a chat after the one with number `since`, refused or not."""
        return _json(self._calls.since(_query_number(request, "since", 0)))

    async def _events(self, request: Request) -> Response:
        limit = min(_query_number(request, "limit", 12), PHONES_MAX)
        pinned = frozenset(int(chat) for chat in request.query_params.getlist("chat") if chat.lstrip("-").isdigit())
        stream = self._phone.events(limit=limit, pinned=pinned)
        return StreamingResponse(stream, media_type="text/event-stream", headers={"cache-control": "no-store"})

    async def _screen(self, request: Request) -> Response:
        return _json(self._phone.chat(_chat_id(request)))

    async def _write(self, request: Request) -> Response:
        text = (await _object(request)).get("text")
        if not isinstance(text, str) or not 1 <= len(text.strip()) <= _TEXT_MAX:
            raise BadLever(f"text: expected 1 to {_TEXT_MAX} characters")
        return _json(self._phone.write(_chat_id(request), text.strip()))

    async def _tap(self, request: Request) -> Response:
        body = await _object(request)
        message_id, data, unseen = body.get("message_id"), body.get("data"), body.get("unseen", False)
        if not isinstance(message_id, int) or not isinstance(data, str) or not isinstance(unseen, bool):
            raise BadLever("expected message_id (a whole number) and data (the button's callback_data)")
        try:
            answer = await self._phone.tap(_chat_id(request), message_id, data, unseen=unseen)
        except NoSuchButton as error:
            raise BadLever(f"message {message_id} shows no button with data {data!r}") from error
        return _json({"answered": answer is not None, "text": answer or ""})

    async def _block(self, request: Request) -> Response:
        blocked = (await _object(request)).get("blocked")
        if not isinstance(blocked, bool):
            raise BadLever("blocked: expected true or false")
        self._phone.block(_chat_id(request), blocked=blocked)
        return _json({"blocked": blocked})

    async def _speak(self, request: Request) -> Response:
        language = (await _object(request)).get("language")
        if not isinstance(language, str) or not _LANGUAGE.fullmatch(language):
            raise BadLever("language: expected a code such as en or ru")
        self._phone.speak(_chat_id(request), language)
        return _json({"language": language})


async def _object(request: Request) -> dict[str, Any]:
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise BadLever("expected content-type application/json")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_BYTES_MAX:
            raise BadLever(f"body: at most {_BODY_BYTES_MAX} bytes")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadLever("body: not JSON") from error
    if not isinstance(value, dict):
        raise BadLever("body: expected an object")
    return value


async def _json_list(journal: Journal, since: int, limit: int | None) -> AsyncIterator[bytes]:
    """Stream page by page, so that a long log never lies in memory."""
    opening = b"["
    while page := journal.page(since, min(limit or _PAGE_LINES, _PAGE_LINES)):
        since = page[-1].seq
        yield opening + b",".join(entry.line for entry in page)
        opening = b","
        limit = None if limit is None else limit - len(page)
        if limit == 0:
            break
    yield b"[]" if opening == b"[" else b"]"


def _chat_id(request: Request) -> int:
    """Give the chat of the path; groups have negative numbers."""
    written = request.path_params["chat_id"]
    if not _CHAT.fullmatch(written):
        raise BadLever("chat: expected a whole number")
    return int(written)


def _query_number(request: Request, name: str, default: int) -> int:
    value = request.query_params.get(name, "")
    if value and not value.isdigit():
        raise BadLever(f"{name}: expected a whole number")
    return int(value) if value else default


def _json(content: object) -> Response:
    return Response(orjson.dumps(content), media_type="application/json")
