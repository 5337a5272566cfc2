"""An HTTP server inside the process's own event loop, for any ASGI application."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Generator, MutableMapping
from typing import Any

import uvicorn

from chassis import addresses
from chassis.errors import AddressInUse, NotStarted

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
"""An ASGI 3 application."""

_CONNECTIONS_MAX = 512
_KEEP_ALIVE_SECONDS = 30
_HEAD_BYTES_MAX = 64 * 1024


class AsgiServer:
    """Serves an application on `host:port`; port 0 takes a free one, told by `address` after the start.

    No thread, no signal handler of its own. A stop lets running requests finish for `stop_seconds_max`.
    """

    def __init__(self, address: str, application: Application, *, stop_seconds_max: int = 3) -> None:
        self.name = f"http {address}"
        self._address = address
        self._config = uvicorn.Config(
            application,
            interface="asgi3",
            http="h11",
            ws="none",
            loop="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_CONNECTIONS_MAX,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=stop_seconds_max,
            h11_max_incomplete_event_size=_HEAD_BYTES_MAX,
        )
        self._server: _EmbeddedServer | None = None
        self._serving: asyncio.Task[None] | None = None
        self._bound = ""

    @property
    def address(self) -> str:
        """The address actually bound."""
        if self._serving is None:
            raise NotStarted(self.name)
        return self._bound

    async def start(self) -> None:
        """Listen; raise `AddressInUse` when the port is taken."""
        if self._serving is not None:
            return
        listener = _listen(self._address)
        self._bound = addresses.join(*listener.getsockname()[:2])
        self._server = _EmbeddedServer(self._config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]), name=self.name)
        await self._server.listening.wait()

    async def stop(self) -> None:
        """Stop listening and let running requests finish."""
        server, self._server = self._server, None
        serving, self._serving = self._serving, None
        if server is not None and serving is not None:
            server.should_exit = True
            await serving


class _EmbeddedServer(uvicorn.Server):
    """Uvicorn without its hold on the process: it says when it listens and leaves the signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def _listen(address: str) -> socket.socket:
    host, port = addresses.split(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise AddressInUse(address, error.strerror or str(error)) from error
    listener.setblocking(False)
    return listener
