"""Stop publishing for a while: the lease is kept, rows wait, nothing is lost."""

from typing import TYPE_CHECKING, Any

from outbox import errors
from outbox.operations import audit
from outbox.operations.position import read_cursor
from outbox.statements import statement

if TYPE_CHECKING:
    import asyncpg


async def pause(connection: "asyncpg.Connection[Any]", *, reason: str, name: str = "kafka") -> None:
    """Keep the owner, present or next, from publishing; it notices within a second.

    Raises:
        errors.CursorMissing, errors.CursorNeedsReset, errors.ReasonMissing: nothing was changed.
    """
    await _set_state(connection, name, "paused", reason)


async def resume(connection: "asyncpg.Connection[Any]", *, reason: str, name: str = "kafka") -> None:
    """Let it publish again; it notices within a second. Raises as `pause`."""
    await _set_state(connection, name, "running", reason)


async def _set_state(connection: "asyncpg.Connection[Any]", name: str, state: str, reason: str) -> None:
    async with connection.transaction():
        await audit.record(connection, "pause" if state == "paused" else "resume", reason, {"cursor": name})
        if await connection.fetchval(statement("set_state"), name, state) is None:
            await read_cursor(connection, name)
            raise errors.CursorNeedsReset(name, "a position must be chosen first")
