"""A gate on a TCP way: it passes everything until it is told to hold the requests, or the answers, or to cut."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from stack.ports import LOOPBACK


class TcpGate:
    """`hold_requests`: what the client says does not arrive. `hold_answers`: it arrives, the client never learns.

    `cut` ends every connection, with what is held on it; new ones pass.
    """

    def __init__(self, upstream: str) -> None:
        host, _, port = upstream.rpartition(":")
        self._upstream = (host, int(port))
        self._requests, self._answers = asyncio.Event(), asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()
        self.address = ""
        self.open()

    def hold_requests(self) -> None:
        self._requests.clear()

    def hold_answers(self) -> None:
        self._answers.clear()

    def open(self) -> None:
        self._requests.set()
        self._answers.set()

    async def cut(self) -> None:
        connections, self._connections = self._connections, set()
        for connection in connections:
            connection.cancel()
        if connections:
            await asyncio.wait(connections)
        self.open()

    async def forward(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        connection = asyncio.ensure_future(self._forward(client, answers))
        self._connections.add(connection)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([connection])
        connection.cancel()
        self._connections.discard(connection)
        answers.close()  # a connection cut before its way through was open has closed nothing itself

    async def _forward(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        try:
            server, requests = await asyncio.open_connection(*self._upstream)
        except OSError:  # the server is away: so is the way through here
            answers.close()
            return
        ways = [
            asyncio.ensure_future(_pump(client, requests, self._requests)),
            asyncio.ensure_future(_pump(server, answers, self._answers)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for writer in (requests, answers):
                writer.close()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, may_pass: asyncio.Event) -> None:
    with contextlib.suppress(ConnectionError):
        while packet := await source.read(65_536):
            await may_pass.wait()
            sink.write(packet)
            await sink.drain()


@asynccontextmanager
async def tcp_gate(upstream: str) -> AsyncIterator[TcpGate]:
    """Stand before `host:port`; the gate's own place is its `address`."""
    gate = TcpGate(upstream)
    door = await asyncio.start_server(gate.forward, LOOPBACK, 0)
    gate.address = f"{LOOPBACK}:{door.sockets[0].getsockname()[1]}"
    try:
        yield gate
    finally:
        door.close()
        await gate.cut()
