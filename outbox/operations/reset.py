"""A new position for a cursor whose history ended: after an upgrade, a restore, or by decision.

- keep: where it was (after pg_upgrade, which keeps transaction ids).
- now: past everything committed so far; nothing of it is sent.
- all: before everything retained; all of it is sent again.
- from a seq: everything retained from that sequence number on is sent, again or for the first time.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from outbox import errors
from outbox.operations import audit
from outbox.operations.position import read_cursor
from outbox.statements import statement

if TYPE_CHECKING:
    import asyncpg

_BEFORE_EVERYTHING = "3:3:"  # the first xid a transaction can have


class ResetTo(StrEnum):
    """Where to."""

    KEEP = "keep"
    NOW = "now"
    ALL = "all"
    FROM_SEQ = "from-seq"


@dataclass(frozen=True, slots=True)
class ResetPlan:
    """What a reset would do, to look at before it is done.

    Attributes:
        cursor: which.
        to: where to.
        from_seq: the first sequence number, with FROM_SEQ.
        epoch: at which it was planned; done only while nobody took the lease meanwhile.
        rows_to_send: retained rows that would be sent, again or for the first time.
        state: the cursor's now.
    """

    cursor: str
    to: ResetTo
    from_seq: int
    epoch: int
    rows_to_send: int
    state: str


async def plan_reset(
    connection: "asyncpg.Connection[Any]", to: ResetTo, *, from_seq: int = 0, name: str = "kafka"
) -> ResetPlan:
    """Look, change nothing.

    Raises:
        errors.CursorMissing: there is no such cursor.
        errors.PositionAhead: `keep`, but the stored position lies beyond what this server has come to.
    """
    cursor = await read_cursor(connection, name)
    if to is ResetTo.KEEP:
        history = await connection.fetchrow(statement("read_history"))
        if history is None or int((cursor.target or cursor.seen).xmax) > int(history["xmax"]):
            raise errors.PositionAhead(name)
    rows = await _rows_to_send(connection, to, from_seq, cursor.seen.text)
    return ResetPlan(name, to, from_seq, cursor.epoch, rows, cursor.state)


async def reset(connection: "asyncpg.Connection[Any]", plan: ResetPlan, *, reason: str) -> int:
    """Do what was planned; whoever owns the cursor is fenced and takes it anew. Returns the new epoch.

    Raises:
        errors.PlanStale: the lease changed hands since the plan.
        errors.ReasonMissing: the reason is blank.
    """
    now = await connection.fetchval("select pg_current_snapshot()::text")
    seen, target, walked_seq = {
        ResetTo.KEEP: (None, None, None),
        ResetTo.NOW: (now, None, None),
        ResetTo.ALL: (_BEFORE_EVERYTHING, None, None),
        ResetTo.FROM_SEQ: (_BEFORE_EVERYTHING, now, plan.from_seq - 1),
    }[plan.to]
    async with connection.transaction():
        await audit.record(
            connection, "cursor reset", reason, {"cursor": plan.cursor, "to": plan.to.value, "from_seq": plan.from_seq}
        )
        epoch = await connection.fetchval(statement("reset_cursor"), plan.cursor, plan.epoch, seen, target, walked_seq)
        if epoch is None:
            raise errors.PlanStale("the lease changed hands since it was made")
    return int(epoch)


async def _rows_to_send(connection: "asyncpg.Connection[Any]", to: ResetTo, from_seq: int, seen: str) -> int:
    match to:
        case ResetTo.NOW:
            return 0
        case ResetTo.KEEP:
            waiting = "select count(*) from outbox where not pg_visible_in_snapshot(xid, $1::text::pg_snapshot)"
            return int(await connection.fetchval(waiting, seen))
        case ResetTo.ALL | ResetTo.FROM_SEQ:
            return int(await connection.fetchval("select count(*) from outbox where seq >= $1", from_seq))
