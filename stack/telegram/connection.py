"""Takes hold of the connection itself, for the answers no well-behaved server gives.

uvicorn always sends something; the protocol here hands each request the means to close its connection without a byte.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_HANG_UP = "telegram.hang_up"


class HangUpProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, whose requests carry a way to cut their connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Hand the connection's end to the application, request by request."""
        super().connection_made(transport)
        self.app = _with_hang_up(self.app, transport.abort)


class HangUp(Response):
    """Closes the connection without a byte: the caller sees that the server went away."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  ASGI's signature
        """Cut, then wait until uvicorn knows, so that it sends no error of its own."""
        scope["extensions"][_HANG_UP]()
        await _until_gone(receive)


class Silence(Response):
    """Never answers: ends when the caller loses patience."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  ASGI's signature
        """Wait for the caller to go."""
        await _until_gone(receive)
        scope["extensions"][_HANG_UP]()


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _with_hang_up(app: Any, hang_up: Callable[[], None]) -> Any:
    async def carrying(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "extensions": {_HANG_UP: hang_up}}, receive, send)

    return carrying
