"""A backlog: more rows than one read may bring, frozen between two snapshots and walked by `seq`.

Before the walk the partitions are analysed and their BRIN indexes brought up to date, so that every window costs the
same few milliseconds, and the ends of the way are found. This runs on a connection of its own: it may take seconds,
and the tenure's session has a lease to keep.
"""

from dataclasses import dataclass
from typing import Any

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from outbox.cursor import Position
from outbox.statements import statement

_CONNECT_SECONDS_MAX = 3.0
_SURVEY_SECONDS_MAX = 300.0


@dataclass(frozen=True, slots=True)
class Survey:
    """Where the rows between `walked_seq` and the target begin and end, and how many they are."""

    first_seq: int
    last_seq: int
    rows: int


async def survey(dsn: str, position: Position, application_name: str) -> Survey:
    """Prepare the walk and look over the way. An empty way ends where it begins."""
    connection = await asyncpg.connect(
        dsn,
        timeout=_CONNECT_SECONDS_MAX,
        command_timeout=_SURVEY_SECONDS_MAX,
        target_session_attrs=SessionAttribute.read_write,
        server_settings={"application_name": application_name, "jit": "off"},
    )
    try:
        await _bring_statistics_up_to_date(connection)
        return await _look_over(connection, position)
    finally:
        connection.terminate()


async def _bring_statistics_up_to_date(connection: "asyncpg.Connection[Any]") -> None:
    for leaf, seq_index in await connection.fetch(statement("list_leaves")):
        await connection.execute(f"analyze {leaf}")  # regclass::text quotes itself where it must
        await connection.execute("select brin_summarize_new_values($1::text::regclass)", seq_index)


async def _look_over(connection: "asyncpg.Connection[Any]", position: Position) -> Survey:
    if position.target is None:
        raise ValueError("a survey needs a target")
    seen = position.seen
    found = await connection.fetchrow(
        statement("backlog_bounds"), seen.xmax, seen.running, position.target.text, position.walked_seq
    )
    if found is None or found["first_seq"] is None:
        return Survey(position.walked_seq + 1, position.walked_seq, 0)
    return Survey(found["first_seq"], found["last_seq"], found["row_count"])
