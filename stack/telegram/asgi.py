"""The application: the Bot API under `/bot<token>/<method>`, the phone page at `/`, levers under `/_/`."""

import asyncio
import re

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from stack.telegram import parameters as read
from stack.telegram import refusals
from stack.telegram.bot_api import BotApi, LostAnswer, Result
from stack.telegram.connection import HangUp, Silence
from stack.telegram.levers import BadLever, Levers
from stack.telegram.refusals import ApiRefusal
from stack.telegram.script import Step

_BODY_BYTES_MAX = 1_048_576
_TOKEN = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{1,100}")
_GATEWAY_PAGE = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    "<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n"
)


def application(*, bot_api: BotApi, levers: Levers, token: str | None) -> Starlette:
    """Give the ASGI application over finished parts; without a token every well-formed one is ours."""
    bot = _Bot(bot_api, token)
    return Starlette(
        routes=[
            Route("/bot{token}/{method}", bot.call, methods=["GET", "POST"]),
            *levers.routes(),
            Route("/livez", _well),
            Route("/readyz", _well),
        ],
        exception_handlers={ApiRefusal: _refused, BadLever: _bad_lever},
    )


class _Bot:
    """One endpoint for all methods; the token is judged before anything is read."""

    def __init__(self, bot_api: BotApi, token: str | None) -> None:
        self._bot_api = bot_api
        self._token = token

    async def call(self, request: Request) -> Response:
        self._check_token(request.path_params["token"])
        body = await _bounded_body(request)
        content_type = request.headers.get("content-type", "")
        parameters = read.read(request.url.query, content_type, body)
        answer = await self._bot_api.call(request.path_params["method"], parameters)
        match answer:
            case Result(value):
                return _json({"ok": True, "result": value})
            case LostAnswer(step):
                return await _lost(step)

    def _check_token(self, token: str) -> None:
        if not _TOKEN.fullmatch(token):
            raise refusals.token_malformed()
        if self._token is not None and token != self._token:
            raise refusals.unauthorized()


async def _lost(step: Step) -> Response:
    """Answer so that the caller cannot know; with a delay the caller has long waited."""
    await asyncio.sleep(0 if step.accepted else step.delay_seconds)
    match step.answer:
        case "close":
            return HangUp()
        case "silence":
            return Silence()
        case "html":
            return HTMLResponse(_GATEWAY_PAGE, status_code=step.error_code or 502)
        case _:
            code = step.error_code or 500
            description = step.description or "Internal Server Error"
            return _json({"ok": False, "error_code": code, "description": description}, code)


async def _bounded_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_BYTES_MAX:
            raise ApiRefusal(413, "Request Entity Too Large")
    return bytes(body)


async def _refused(_: Request, error: Exception) -> Response:
    refusal = error if isinstance(error, ApiRefusal) else refusals.bad_request("unknown")
    return _json(refusal.body(), refusal.code)


async def _bad_lever(_: Request, error: Exception) -> Response:
    return _json({"error": str(error)}, 422)


async def _well(_: Request) -> Response:
    return _json({"status": "ok"})


def _json(content: object, status: int = 200) -> Response:
    return Response(orjson.dumps(content), status_code=status, media_type="application/json")
