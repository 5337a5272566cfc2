"""A proxy in front of Postgres that loses a COMMIT: either on its way there, or its answer on the way back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

Where = Literal["before", "after"]

_COMMIT = b"COMMIT;\x00"
"""How asyncpg ends a transaction: one simple query, in a packet of its own because it waits for each answer."""


class CommitCut:
    """Forwards everything until it is armed; then the next COMMIT ends its connection.

    `before`: the server never sees it. `after`: the server has committed, the client never learns.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._armed: Where | None = None
        self.cuts = 0

    def arm(self, where: Where) -> None:
        self._armed = where

    async def forward(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await self._forward(client, answers)

    async def _forward(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        try:
            server, requests = await asyncio.open_connection(self._host, self._port)
        except OSError:  # the server is down: so is the way through here
            answers.close()
            return
        back = asyncio.create_task(_pump(server, answers))
        try:
            while packet := await client.read(65_536):
                if self._armed and _COMMIT in packet:
                    back.cancel()
                    await asyncio.wait([back])
                    await self._lose(packet, server, requests)
                    return
                requests.write(packet)
                await requests.drain()
        finally:
            back.cancel()
            for writer in (requests, answers):
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()

    async def _lose(self, packet: bytes, server: asyncio.StreamReader, requests: asyncio.StreamWriter) -> None:
        where, self._armed = self._armed, None
        self.cuts += 1
        if where == "after":
            requests.write(packet)
            answer = await server.read(65_536)
            assert b"COMMIT" in answer, "the server has committed"


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while packet := await source.read(65_536):
            sink.write(packet)
            await sink.drain()
    sink.close()


@asynccontextmanager
async def commit_cut(dsn: str) -> AsyncIterator[tuple[CommitCut, str]]:
    """Run the proxy in front of `dsn`; yield it and the address through it."""
    parts = urlsplit(dsn)
    cut = CommitCut(parts.hostname or "127.0.0.1", parts.port or 5432)
    proxy = await asyncio.start_server(cut.forward, "127.0.0.1", 0)
    port = proxy.sockets[0].getsockname()[1]
    try:
        yield cut, urlunsplit(parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}"))
    finally:
        proxy.close()
