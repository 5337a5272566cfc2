"""A proxy in front of Postgres that loses a COMMIT: either on its way there, or its answer on the way back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

Where = Literal["before", "after"]

COMMIT = "COMMIT;"
"""How asyncpg ends a transaction: one simple query, in a packet of its own because it waits for each answer."""

_READY_AND_IDLE = b"Z\x00\x00\x00\x05I"


class CommitCut:
    """Forwards everything until it is armed; then the next COMMIT ends its connection.

    `before`: the server never sees it. `after`: the server has committed, the client never learns. Where a statement is
    a transaction of its own, its execution is the COMMIT: `arm` is told a piece of its text.
    """

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._armed: Where | None = None
        self._commit = COMMIT
        self._times = 0
        self.cuts = 0

    def arm(self, where: Where, commit: str = COMMIT, *, times: int = 1) -> None:
        self._armed, self._commit, self._times = where, commit, times

    def disarm(self) -> None:
        self._armed = None

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
        prepared: dict[bytes, bytes] = {}
        try:
            while packet := await client.read(65_536):
                executed = _executed(packet, prepared)
                if self._armed and self._commit.encode() in executed:
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
        where = self._armed
        self.cuts += 1
        self._times -= 1
        if self._times == 0:
            self._armed = None
        if where == "after":
            requests.write(packet)
            answer = b""
            while not answer.endswith(_READY_AND_IDLE):
                received = await server.read(65_536)
                assert received, "the server answers what it has committed"
                answer += received


def _executed(packet: bytes, prepared: dict[bytes, bytes]) -> bytes:
    """The text of what a packet asks the server to run; notes in `prepared` what a packet only prepares."""
    kind, content = packet[:1], packet[5:]
    if kind == b"Q":
        return content
    if kind == b"P":
        name, _, rest = content.partition(b"\x00")
        prepared[name] = rest.partition(b"\x00")[0]
    if kind == b"B":
        _portal, name = content.split(b"\x00", 2)[:2]
        return prepared.get(name, b"")
    return b""


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
