"""The two databases of a scene, and what an independent reader finds in them.

The shop: orders, their audit, the outbox. The ledger: the inbox, effects, an outbox of its own for echoes.
"""

from collections.abc import Sequence
from pathlib import Path

import asyncpg

from inbox import Event
from inbox import install_sql as install_inbox
from outbox import Message, append
from outbox import install_sql as install_outbox
from tests.chaos.facts import Audited, Echo, Effect, Row, SetAside

Connection = asyncpg.Connection

ECHOES = "echoes"
_SQL = Path(__file__).parent / "sql"


async def install_shop(dsn: str) -> None:
    """Make the shop's tables in an empty database."""
    await _install(dsn, (_SQL / "shop.sql").read_text(encoding="utf-8"), install_outbox(writer_role="postgres"))


async def install_ledger(dsn: str) -> None:
    """Make the ledger's tables in an empty database."""
    await _install(
        dsn,
        (_SQL / "ledger.sql").read_text(encoding="utf-8"),
        install_inbox(app_role="postgres"),
        install_outbox(writer_role="postgres"),
    )


async def leave_effects(connection: Connection, consumer: str, events: Sequence[Event]) -> None:
    """What a handler does: one effect an event, in the order given, and an echo of each in an outbox of its own."""
    await connection.execute(
        "insert into effects (consumer, key, version, event_id, payload) select $1, key, version, event_id, payload "
        "from unnest($2::text[], $3::bigint[], $4::uuid[], $5::bytea[]) "
        "with ordinality as given (key, version, event_id, payload, place) order by place",
        consumer,
        [event.key for event in events],
        [event.version for event in events],
        [event.event_id for event in events],
        [event.payload for event in events],
    )
    await append(connection, *[_echo(consumer, event) for event in events])


def _echo(consumer: str, event: Event) -> Message:
    return Message(topic=ECHOES, key=consumer, type="effect.left", payload=str(event.event_id).encode())


async def orders_of(connection: Connection) -> dict[str, int]:
    """The version each order stands at."""
    rows = await connection.fetch("select order_id::text as key, version from orders")
    return {row["key"]: row["version"] for row in rows}


async def audit_of(connection: Connection) -> list[Audited]:
    """D."""
    rows = await connection.fetch(
        "select order_id::text, version, xid::text::bigint, op from order_audit order by order_id, version, place"
    )
    return [Audited(*row) for row in rows]


async def rows_of(connection: Connection) -> list[Row]:
    """O."""
    rows = await connection.fetch(
        "select key, version, xid::text::bigint, seq, event_id::text, payload from outbox order by seq"
    )
    return [Row(*row) for row in rows]


async def effects_of(connection: Connection) -> list[Effect]:
    """B: what was applied."""
    rows = await connection.fetch(
        "select consumer, key, version, place, event_id::text, payload from effects order by place"
    )
    return [Effect(*row) for row in rows]


async def echoes_of(connection: Connection) -> list[Echo]:
    """B: what was echoed."""
    rows = await connection.fetch(
        "select key, convert_from(payload, 'UTF8') from outbox where topic = $1 order by seq", ECHOES
    )
    return [Echo(*row) for row in rows]


async def parked_of(connection: Connection) -> list[SetAside]:
    """B: what was set aside."""
    return [SetAside(*row) for row in await connection.fetch("select consumer, key, event_id::text from inbox_parked")]


async def _install(dsn: str, *scripts: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            for script in scripts:
                await connection.execute(script)
    finally:
        await connection.close()
