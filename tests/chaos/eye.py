"""A look into a database whose server may be away at the moment."""

import asyncio
from typing import Any

import asyncpg

from tests.chaos.load import FAILURES
from tests.chaos.tables import Connection
from tests.waiting import eventually

_ASK_SECONDS_MAX = 60.0


class Eye:
    """One connection, made anew whenever it is lost; two faults that strike together ask one after the other."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: Connection | None = None
        self._asking = asyncio.Lock()

    async def ask(self, question: str, *args: Any) -> Any:
        """The first value of the first row; waits for a server that is away."""
        answers: list[Any] = []

        async def answered() -> bool:
            async with self._asking:
                try:
                    answers.append(await (await self.connection()).fetchval(question, *args))
                except FAILURES as failure:
                    self.close()
                    raise AssertionError(repr(failure)) from failure
            return True

        await eventually(answered, within=_ASK_SECONDS_MAX, every=0.1)
        return answers[-1]

    async def connection(self) -> Connection:
        """The connection itself."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._dsn, timeout=5, command_timeout=60)
        return self._connection

    def close(self) -> None:
        """Look away; the next question opens it again."""
        if self._connection is not None:
            self._connection.terminate()
        self._connection = None
