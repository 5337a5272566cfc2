"""A transaction in two phases: prepared by one client, committed by another who knows its name, much later."""

import random
from contextlib import suppress

import asyncpg

from tests.chaos.facts import Outcome
from tests.chaos.history import History
from tests.chaos.load import FAILURES
from tests.chaos.scene import Scene
from tests.chaos.shop import Draft
from tests.waiting import eventually

_PENDING = "select gid from pg_prepared_xacts where database = current_database() and gid like $1 || '.%'"
_KNOWN_AS_RUNNING = "select exists (select from outbox_cursor, pg_snapshot_xip(seen) as xip where xip = $1::text::xid8)"
_SECONDS_MAX = 60.0


class Prepared:
    """One transaction left prepared; its history says what it will have changed, and that it was committed."""

    def __init__(self, scene: Scene, history: History, name: str) -> None:
        self._scene = scene
        self._history = history
        self._name = name
        self._attempts = 0
        self._xid = ""

    async def prepare(self, chance: random.Random) -> None:
        """Draw numbers, append, prepare, go; again if the server is away."""
        await eventually(lambda: self._attempt(chance), within=_SECONDS_MAX, every=0.1)

    async def known_as_running(self) -> None:
        """Wait until the relay has stored a cursor that knows the transaction as running."""

        async def known() -> bool:
            return bool(await self._scene.shop.ask(_KNOWN_AS_RUNNING, self._xid))

        await eventually(known, within=_SECONDS_MAX, every=0.05)

    async def commit(self) -> None:
        """Commit whatever is prepared under the name; nobody else ends it, so what is gone is committed."""
        await eventually(self._committed, within=_SECONDS_MAX, every=0.1)
        self._history.ended(self._op, Outcome.OK)

    @property
    def _op(self) -> str:
        return f"{self._name}.{self._attempts}"

    async def _attempt(self, chance: random.Random) -> bool:
        self._attempts += 1
        self._history.asked(self._op)
        with suppress(*FAILURES):
            connection = await asyncpg.connect(self._scene.shop_dsn, timeout=5, command_timeout=15)
            try:
                await connection.execute("begin")
                draft = Draft(connection, self._op, topic=self._scene.topic)
                for key in [await draft.place() for _ in range(chance.randint(1, 3))]:
                    await draft.touch(key)
                await draft.announce()
                self._xid = await connection.fetchval("select pg_current_xact_id()::text")
                self._history.sent(self._op, int(self._xid), draft.changes)
                await connection.execute(f"prepare transaction '{self._op}'")
                return True
            finally:
                connection.terminate()
        self._history.ended(self._op, Outcome.UNKNOWN)
        return False

    async def _committed(self) -> bool:
        with suppress(*FAILURES):
            connection = await self._scene.shop.connection()
            for row in await connection.fetch(_PENDING, self._name):
                await connection.execute(f"commit prepared '{row['gid']}'")
            return not await connection.fetch(_PENDING, self._name)
        return False
