"""A proxy in front of a Kafka cluster that loses a produce: either on its way there, or its answer on the way back.

Who starts here stays here: in every answer about the cluster the brokers' ports are replaced by the proxy's.
"""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from io import BytesIO

from aiokafka.protocol import metadata

from stack.ports import LOOPBACK
from tests.commit_cut import Where

_PRODUCE, _METADATA = 0, 3
_ABOUT_THE_CLUSTER = {version: getattr(metadata, f"MetadataResponse_v{version}") for version in range(6)}


class ProduceCut:
    """Forwards everything until it is armed; then the next produce ends its connection.

    `before`: no broker ever sees it. `after`: it is written and acknowledged, the producer never learns.
    """

    def __init__(self) -> None:
        self._doors: dict[int, int] = {}
        self._armed: Where | None = None
        self.cuts = 0

    def arm(self, where: Where) -> None:
        self._armed = where

    def door(self, port: int, ours: int) -> None:
        """Lead to the broker on `port` those who come to `ours`."""
        self._doors[port] = ours

    async def forward(self, port: int, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        try:
            server, requests = await asyncio.open_connection(LOOPBACK, port)
        except OSError:  # the broker is down: so is the way through here
            answers.close()
            return
        asked: dict[int, tuple[int, int]] = {}
        ways = [
            asyncio.ensure_future(self._ask(client, requests, asked)),
            asyncio.ensure_future(self._answer(server, answers, asked)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for writer in (requests, answers):
                writer.close()

    async def _ask(
        self, client: asyncio.StreamReader, requests: asyncio.StreamWriter, asked: dict[int, tuple[int, int]]
    ) -> None:
        while frame := await _frame(client):
            key, version, correlation = struct.unpack_from(">hhi", frame)
            if key == _PRODUCE and self._loses("before"):
                return
            asked[correlation] = key, version
            await _send(requests, frame)

    async def _answer(
        self, server: asyncio.StreamReader, answers: asyncio.StreamWriter, asked: dict[int, tuple[int, int]]
    ) -> None:
        while frame := await _frame(server):
            (correlation,) = struct.unpack_from(">i", frame)
            key, version = asked.pop(correlation)
            if key == _PRODUCE and self._loses("after"):
                return
            await _send(answers, self._leading_here(version, frame) if key == _METADATA else frame)

    def _loses(self, where: Where) -> bool:
        if self._armed != where:
            return False
        self._armed = None
        self.cuts += 1
        return True

    def _leading_here(self, version: int, frame: bytes) -> bytes:
        answer = _ABOUT_THE_CLUSTER[version].decode(BytesIO(frame[4:]))
        answer.brokers = [(node, host, self._doors[port], *more) for node, host, port, *more in answer.brokers]
        return frame[:4] + bytes(answer.encode())


@asynccontextmanager
async def produce_cut(ports: Sequence[int]) -> AsyncIterator[tuple[ProduceCut, str]]:
    """Run the proxy in front of the brokers on these ports; yield it and the bootstrap address through it."""
    cut, doors = ProduceCut(), []
    async with AsyncExitStack() as down:
        for port in ports:
            door = await asyncio.start_server(partial(cut.forward, port), LOOPBACK, 0)
            down.callback(door.close)
            doors.append(door.sockets[0].getsockname()[1])
            cut.door(port, doors[-1])
        yield cut, ",".join(f"{LOOPBACK}:{door}" for door in doors)


async def _frame(stream: asyncio.StreamReader) -> bytes:
    """The next message without its length; empty at the end of the connection."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        (size,) = struct.unpack(">i", await stream.readexactly(4))
        return await stream.readexactly(size)
    return b""


async def _send(stream: asyncio.StreamWriter, frame: bytes) -> None:
    with contextlib.suppress(ConnectionError):
        stream.write(struct.pack(">i", len(frame)) + frame)
        await stream.drain()
