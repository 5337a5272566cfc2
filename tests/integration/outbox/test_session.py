"""The relay's one connection."""

from outbox.session import Session
from tests.outbox_given import Connection


async def test_only_a_walks_statements_are_planned_for_their_values(connection: Connection) -> None:
    session = Session(connection)

    async with session.planned_anew():
        walking = await connection.fetchval("show plan_cache_mode")

    assert walking == "force_custom_plan"
    assert await connection.fetchval("show plan_cache_mode") == "force_generic_plan"
