"""The HTTP side of python-telegram-bot, kept honest: what the library folds into one exception is told apart here.

The library makes "too many requests" without a `retry_after`, a broken gateway and every odd status the same
`NetworkError`. The status is known here, so here it is named.
"""

import json
from datetime import timedelta
from typing import Any

import httpx
from telegram.error import TelegramError
from telegram.request import HTTPXRequest

_IDLE_CONNECTION_SECONDS = 2.0
"""An idle connection is dropped before a server or proxy (5 s and more) drops it under a request of ours."""

_TOO_MANY_REQUESTS = 429
_SERVER_ERRORS = 500
_BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 400, 401, 403, 404
_NAMED_BY_THE_LIBRARY = frozenset({_BAD_REQUEST, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND})


class TooManyRequests(TelegramError):
    """429, or any refusal that says when to come back. `after` is what Telegram asked for, if it did."""

    def __init__(self, after: timedelta | None) -> None:
        super().__init__("too many requests")
        self.after = after


class ServerFailed(TelegramError):
    """5xx, or an answer that is not Telegram's: the request left, and nobody knows what became of it."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


class OddRefusal(TelegramError):
    """A 4xx the Bot API does not document for what we call, said in its own JSON: not accepted."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status = status


class BotApiRequest(HTTPXRequest):
    """Connections to the Bot API, bounded in number and time. A proxy is a setting, not the environment's."""

    def __init__(
        self,
        *,
        connections_max: int,
        connect_seconds: float,
        read_seconds: float,
        proxy: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        limits = httpx.Limits(max_connections=connections_max, keepalive_expiry=_IDLE_CONNECTION_SECONDS)
        options: dict[str, Any] = {"limits": limits, "trust_env": False}
        if transport is not None:
            options["transport"] = transport
        super().__init__(
            connection_pool_size=connections_max,
            connect_timeout=connect_seconds,
            read_timeout=read_seconds,
            write_timeout=read_seconds,
            pool_timeout=connect_seconds,
            proxy=proxy,
            httpx_kwargs=options,
        )

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        """Make the request; raise for the statuses the library cannot tell apart."""
        status, body = await super().do_request(*args, **kwargs)
        if status == httpx.codes.OK:
            return status, body
        answer = _bot_api_answer(body)
        if answer is None or status >= _SERVER_ERRORS:
            raise ServerFailed(status)
        after = _retry_after(answer)
        if status == _TOO_MANY_REQUESTS or after is not None:
            raise TooManyRequests(after)
        if status not in _NAMED_BY_THE_LIBRARY:
            raise OddRefusal(status)
        return status, body


def _bot_api_answer(body: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) and answer.get("ok") is False else None


def _retry_after(answer: dict[str, Any]) -> timedelta | None:
    parameters = answer.get("parameters")
    seconds = parameters.get("retry_after") if isinstance(parameters, dict) else None
    return timedelta(seconds=seconds) if isinstance(seconds, int | float) and seconds >= 0 else None
