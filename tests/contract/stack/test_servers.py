"""What any provider of servers promises: ready when started, data that survive a crash, silence while frozen.

The rows of containers need an engine; where none answers they are skipped with the reason, and the head of the run
says so.
"""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError

from tests.containers.engine import absence
from tests.server_providers import (
    KafkaServer,
    PostgresServer,
    Provider,
    RunningServer,
    ValkeyServer,
    provider_named,
)

pytestmark = pytest.mark.faults

IN_CONTAINERS = pytest.mark.skipif(bool(absence()), reason=f"no container engine answers: {absence()}")
SILENT_SECONDS = 1.0


@pytest.fixture(params=["native", pytest.param("containers", marks=IN_CONTAINERS)])
def provider(request: pytest.FixtureRequest) -> Provider:
    return provider_named(request.param)


@pytest.fixture
def started(provider: Provider) -> Iterator[list[RunningServer]]:
    """What a test starts, ended after it."""
    servers: list[RunningServer] = []
    with ExitStack() as after:
        after.callback(provider.discard, servers)
        yield servers


@pytest.fixture
def postgres(provider: Provider, server_folder: Path, started: list[RunningServer]) -> PostgresServer:
    server = provider.postgres(server_folder / "postgres", extra_settings={"max_connections": "40"})
    started.append(server)
    server.start()
    return server


@pytest.fixture
def kafka(provider: Provider, server_folder: Path, started: list[RunningServer]) -> KafkaServer:
    server = provider.kafka(server_folder / "kafka")
    started.append(server)
    server.start()
    return server


@pytest.fixture
def valkey(provider: Provider, server_folder: Path, started: list[RunningServer]) -> ValkeyServer:
    server = provider.valkey(server_folder / "valkey")
    started.append(server)
    server.start()
    return server


async def test_postgres_keeps_what_was_committed_over_a_kill_and_answers_at_the_same_address(
    postgres: PostgresServer,
) -> None:
    address = postgres.admin_dsn
    await _execute(address, "CREATE TABLE orders AS SELECT 42 AS id")

    postgres.kill()
    ended = postgres.pid
    postgres.start()

    assert ended is None
    assert postgres.admin_dsn == address
    assert await _fetch(address, "SELECT id FROM orders") == 42


async def test_postgres_has_the_settings_it_was_asked_for(postgres: PostgresServer) -> None:
    assert await _fetch(postgres.admin_dsn, "SHOW max_connections") == "40"


async def test_postgres_lets_nobody_in_without_the_password(postgres: PostgresServer) -> None:
    user, _, place = postgres.admin_dsn.partition("@")

    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(f"{user.rpartition(':')[0]}:wrong@{place}")


async def test_a_frozen_server_is_silent_and_goes_on_where_it_was(postgres: PostgresServer) -> None:
    postgres.freeze()
    with pytest.raises(TimeoutError):
        await asyncpg.connect(postgres.admin_dsn, timeout=SILENT_SECONDS)

    postgres.thaw()

    assert await _fetch(postgres.admin_dsn, "SELECT 1") == 1


async def test_starting_and_ending_may_be_repeated(valkey: ValkeyServer) -> None:
    for step in (valkey.start, valkey.freeze, valkey.freeze, valkey.stop, valkey.stop, valkey.kill, valkey.start):
        step()

    async with Redis.from_url(valkey.url) as client:
        assert await client.ping()


async def test_valkey_keeps_what_was_written_over_a_stop(valkey: ValkeyServer) -> None:
    async with Redis.from_url(valkey.url) as client:
        await client.set("cart:1", "apple")

    valkey.stop()
    valkey.start()

    async with Redis.from_url(valkey.url) as client:
        assert await client.get("cart:1") == b"apple"


async def test_valkey_lets_nobody_in_without_the_password(valkey: ValkeyServer) -> None:
    place = valkey.url.partition("@")[2]

    async with Redis.from_url(f"redis://{place}", retry=Retry(NoBackoff(), 0)) as client:
        with pytest.raises(AuthenticationError):
            await client.get("cart:1")


async def test_kafka_keeps_what_it_acknowledged_over_a_kill(kafka: KafkaServer) -> None:
    await _create_topic(kafka.bootstrap, "orders")
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all") as producer:
        await producer.send_and_wait("orders", b"paid")

    kafka.kill()
    kafka.start()

    async with AIOKafkaConsumer("orders", bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest") as consumer:
        assert (await consumer.getone()).value == b"paid"


async def test_kafka_makes_no_topic_that_nobody_declared(kafka: KafkaServer) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, metadata_max_age_ms=200) as producer:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(producer.send_and_wait("guessed", b"x"), SILENT_SECONDS)


async def _execute(address: str, statement: str) -> None:
    connection = await asyncpg.connect(address)
    await connection.execute(statement)
    await connection.close()


async def _fetch(address: str, question: str) -> object:
    connection = await asyncpg.connect(address)
    answer = await connection.fetchval(question)
    await connection.close()
    return answer


async def _create_topic(bootstrap: str, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1)])
    await admin.close()
