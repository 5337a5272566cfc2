"""Append rides the caller's transaction."""

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from outbox import TopicRule, Writer, append, errors
from outbox.fragments import insert_rows
from outbox.writer import insert_sql
from tests.given import Database
from tests.outbox_given import WRITER_ROLE, Connection, a_message


@pytest.fixture
def engine(outbox_database: Database) -> AsyncEngine:
    return create_async_engine(outbox_database.dsn.replace("postgresql://", "postgresql+asyncpg://"))


async def _keys(connection: Connection) -> list[str]:
    return [row["key"] for row in await connection.fetch("select key from outbox order by seq")]


async def test_a_message_is_there_after_commit_as_it_was_said(connection: Connection) -> None:
    message = a_message("orders", headers={"ce_userid": "7"}, payload=b"\x00\xff")

    async with connection.transaction():
        [event_id] = await append(connection, message)

    [row] = await connection.fetch("select * from outbox")
    assert row["event_id"] == event_id
    assert (row["topic"], row["key"], row["version"], row["type"]) == ("orders", "42", 1, "order.new")
    assert (row["headers"], row["payload"]) == ('{"ce_userid": "7"}', b"\x00\xff")


async def test_a_rolled_back_transaction_leaves_nothing(connection: Connection) -> None:
    transaction = connection.transaction()
    await transaction.start()
    await append(connection, a_message("orders"))

    await transaction.rollback()

    assert await _keys(connection) == []


async def test_outside_a_transaction_is_refused(connection: Connection) -> None:
    with pytest.raises(errors.NotInTransaction):
        await append(connection, a_message("orders"))

    assert await _keys(connection) == []


async def test_messages_given_in_any_order_are_numbered_by_version(connection: Connection) -> None:
    async with connection.transaction():
        await append(connection, *[a_message("orders", version=version) for version in (3, 1, 2)])

    assert [row[0] for row in await connection.fetch("select version from outbox order by seq")] == [1, 2, 3]


async def test_messages_without_versions_keep_the_order_given(connection: Connection) -> None:
    async with connection.transaction():
        await append(connection, *[a_message("audit", key=key, version=None) for key in "cab"])

    assert await _keys(connection) == ["c", "a", "b"]


async def test_one_refused_message_keeps_all_of_its_call_out(connection: Connection) -> None:
    writer = Writer([TopicRule("orders", versioned=True)])

    async with connection.transaction():
        with pytest.raises(errors.VersionMissing):
            await writer.append(connection, a_message("orders"), a_message("orders", version=None))

    assert await _keys(connection) == []


async def test_the_application_role_may_append_and_read_and_no_more(outbox_database: Database) -> None:
    connection = await asyncpg.connect(outbox_database.dsn_for(WRITER_ROLE, "writer"))
    try:
        async with connection.transaction():
            await append(connection, a_message("orders"))

        assert await _keys(connection) == ["42"]
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("delete from outbox")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("update outbox_cursor set epoch = 7")
    finally:
        await connection.close()


async def test_a_sqlalchemy_connection_carries_a_message(engine: AsyncEngine, connection: Connection) -> None:
    async with engine.begin() as sqlalchemy_connection:
        await append(sqlalchemy_connection, a_message("orders"))
    await engine.dispose()

    assert await _keys(connection) == ["42"]


async def test_a_sqlalchemy_session_carries_a_message_and_rolls_it_back(
    engine: AsyncEngine, connection: Connection
) -> None:
    async with AsyncSession(engine) as session:
        async with session.begin():
            await append(session, a_message("orders", key="kept"))
        await session.begin()
        await append(session, a_message("orders", key="dropped"))
        await session.rollback()
    await engine.dispose()

    assert await _keys(connection) == ["kept"]


async def test_sqlalchemy_without_a_transaction_is_refused(engine: AsyncEngine, connection: Connection) -> None:
    async with AsyncSession(engine) as session:
        with pytest.raises(errors.NotInTransaction):
            await append(session, a_message("orders"))
    async with engine.connect() as autocommit:
        await autocommit.execution_options(isolation_level="AUTOCOMMIT")
        async with autocommit.begin():
            with pytest.raises(errors.NotInTransaction):
                await append(autocommit, a_message("orders"))
    await engine.dispose()

    assert await _keys(connection) == []


async def test_a_pool_is_no_connection(outbox_database: Database) -> None:
    async with asyncpg.create_pool(outbox_database.dsn, min_size=1, max_size=1) as pool:
        with pytest.raises(errors.NotAConnection, match="append through Pool"):
            await append(pool, a_message("orders"))  # type: ignore[arg-type]  # the mistake


async def test_a_refused_message_leaves_the_transaction_as_it_was(connection: Connection) -> None:
    async with connection.transaction():
        for wrong in ({"key": "4\0002"}, {"version": 2**63}, {"headers": {"note": "\ud800"}}):
            with pytest.raises(errors.FieldRefused):
                await append(connection, a_message("orders", **wrong))
        await append(connection, a_message("orders"))

    assert await _keys(connection) == ["42"]


async def test_one_statement_may_change_a_row_and_announce_it(connection: Connection) -> None:
    await connection.execute("create table orders (order_id bigint primary key, version bigint not null default 0)")
    await connection.execute("insert into orders values (42)")
    touch = f"""
        with touched as (update orders set version = version + 2 where order_id = 42 returning order_id, version),
        outbox_message as (
          select gen_random_uuid() as event_id, 'orders' as topic, order_id::text as key, version - place as version,
                 'order.paid' as type, null::timestamptz as occurred_at, null::jsonb as headers,
                 ''::bytea as payload, place
          from touched cross join generate_series(0::bigint, 1) as place
        )
        {insert_rows()}"""

    await connection.execute(touch)

    assert [row[0] for row in await connection.fetch("select version from outbox order by seq")] == [1, 2]


def test_the_fragment_is_what_append_sends() -> None:
    assert insert_sql().endswith(insert_rows())
    assert insert_rows().startswith("insert into outbox (")
