"""The reader finds exactly what committed, in the order it was written, however and whenever it commits."""

import asyncio
import contextlib
import random
import uuid
from collections.abc import AsyncIterator

import pytest

from outbox import TopicRule, append
from outbox.testing import FakeBroker
from tests.given import Database, SharedPostgres
from tests.outbox_given import Connection, a_message, a_relay, commit, connected, install, running
from tests.waiting import eventually

ORDERS = TopicRule("orders", versioned=True)


@pytest.fixture
def broker() -> FakeBroker:
    return FakeBroker()


@pytest.fixture
async def relayed(outbox_database: Database, broker: FakeBroker) -> AsyncIterator[None]:
    async with running(a_relay(outbox_database.dsn, broker, ORDERS)):
        yield


def _sent(broker: FakeBroker) -> list[tuple[str, int]]:
    return [(record.key, int(record.headers["ce_sequence"])) for record in broker.records("orders")]


@pytest.mark.usefixtures("relayed")
async def test_a_key_is_ordered_by_its_writes_not_by_its_transactions_ids(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    async with connected(outbox_database.dsn) as earlier:
        transaction = earlier.transaction()
        await transaction.start()
        await earlier.execute("select pg_current_xact_id()")
        await commit(connection, a_message("orders", version=1))
        await append(earlier, a_message("orders", version=2))
        await transaction.commit()

    await eventually(lambda: len(_sent(broker)) == 2)
    by_xid = [row[0] for row in await connection.fetch("select version from outbox order by xid")]
    assert by_xid == [2, 1]
    assert _sent(broker) == [("42", 1), ("42", 2)]


@pytest.mark.usefixtures("relayed")
async def test_a_strangers_open_transaction_holds_nothing_back(
    connection: Connection, postgres: SharedPostgres, broker: FakeBroker
) -> None:
    async with connected(postgres.admin_dsn) as stranger:
        transaction = stranger.transaction()
        await transaction.start()
        await stranger.execute("select pg_current_xact_id()")

        await commit(connection, *[a_message("orders", version=version) for version in range(1, 6)])

        await eventually(lambda: len(_sent(broker)) == 5)
        await transaction.rollback()
    assert [version for _, version in _sent(broker)] == [1, 2, 3, 4, 5]


@pytest.mark.usefixtures("relayed")
async def test_a_late_commit_is_delivered_after_its_juniors(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    async with connected(outbox_database.dsn) as slow:
        transaction = slow.transaction()
        await transaction.start()
        await append(slow, a_message("orders", key="slow"))
        await commit(connection, a_message("orders", key="quick"))
        await eventually(lambda: _sent(broker) == [("quick", 1)])

        await transaction.commit()

    await eventually(lambda: sorted(_sent(broker)) == [("quick", 1), ("slow", 1)])


@pytest.mark.usefixtures("relayed")
async def test_savepoints_deliver_what_their_transaction_kept(connection: Connection, broker: FakeBroker) -> None:
    async with connection.transaction():
        async with connection.transaction():
            await append(connection, a_message("orders", key="kept"))
        with contextlib.suppress(ZeroDivisionError):
            async with connection.transaction():
                await append(connection, a_message("orders", key="dropped"))
                raise ZeroDivisionError
        for number in range(70):
            async with connection.transaction():
                await append(connection, a_message("orders", key=f"nested-{number}"))

    await eventually(lambda: len(_sent(broker)) == 71)
    assert {key for key, _ in _sent(broker)} == {"kept", *(f"nested-{number}" for number in range(70))}


@pytest.mark.usefixtures("relayed")
async def test_a_prepared_transaction_is_delivered_when_it_commits(connection: Connection, broker: FakeBroker) -> None:
    name = f"two-phase-{uuid.uuid4().hex}"
    await connection.execute("begin")
    await append(connection, a_message("orders", key="prepared"))
    await connection.execute(f"prepare transaction '{name}'")
    await commit(connection, a_message("orders", key="meanwhile"))
    await eventually(lambda: _sent(broker) == [("meanwhile", 1)])

    await connection.execute(f"commit prepared '{name}'")

    await eventually(lambda: sorted(_sent(broker)) == [("meanwhile", 1), ("prepared", 1)])


async def test_what_was_written_before_the_migration_committed_is_new_to_the_reader(database: Database) -> None:
    """A transaction older than the tables may still append once they are there."""
    broker = FakeBroker()
    async with connected(database.dsn) as older, connected(database.dsn) as newer:
        await older.execute("begin")
        await older.execute("select pg_current_xact_id()")
        await install(database.dsn)
        await commit(newer, a_message("orders", key="first"))
        await append(older, a_message("orders", key="older"))
        await older.execute("commit")

        async with running(a_relay(database.dsn, broker, ORDERS)):
            await eventually(lambda: sorted(_sent(broker)) == [("first", 1), ("older", 1)])


async def _write_randomly(dsn: str, chance: random.Random, committed: list[tuple[str, int]], rounds: int) -> None:
    """Versions taken under the row's lock; some roll back, some dawdle, some use savepoints."""
    async with connected(dsn) as writer:
        for _ in range(rounds):
            key, kind = str(chance.randrange(8)), chance.choice(["plain", "slow", "savepoint", "rollback"])
            transaction = writer.transaction()
            await transaction.start()
            version = await writer.fetchval(
                "update orders set version = version + 1 where order_id = $1 returning version", key
            )
            async with writer.transaction() if kind == "savepoint" else contextlib.nullcontext():
                await append(writer, a_message("orders", key=key, version=version))
            if kind == "slow":
                await writer.execute("select pg_sleep(0.02)")
            if kind == "rollback":
                await transaction.rollback()
            else:
                await transaction.commit()
                committed.append((key, version))


@pytest.mark.usefixtures("relayed")
async def test_many_writers_lose_double_and_invert_nothing(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    await connection.execute("create table orders (order_id text primary key, version bigint not null default 0)")
    await connection.execute("insert into orders select number::text from generate_series(0, 7) as number")
    committed: list[tuple[str, int]] = []
    seed = random.randrange(10_000)
    print(f"seed {seed}")

    await asyncio.gather(
        *[
            _write_randomly(outbox_database.dsn, random.Random(seed + number), committed, rounds=40)
            for number in range(10)
        ]
    )

    await eventually(lambda: len(_sent(broker)) >= len(committed))
    sent = _sent(broker)
    assert sorted(sent) == sorted(committed)
    for key in map(str, range(8)):
        versions = [version for sent_key, version in sent if sent_key == key]
        assert versions == list(range(1, len(versions) + 1)), f"key {key}, seed {seed}"
