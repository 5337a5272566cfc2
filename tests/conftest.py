"""What every test may ask for: real servers, shared or its own, a fresh database, a fresh topic."""

import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from redis.asyncio import Redis

from stack.ports import free_port
from stack.servers import Kafka, Postgres
from tests.containers.engine import absence
from tests.given import Database, MakeTopic, SharedKafka, SharedPostgres, SharedValkey, StartKafka, StartPostgres
from tests.server_providers import PROVIDERS, provider_named
from tests.shared_servers import AtTheDesk, Desk, SharedServers, servers_folder

_SERVERS = pytest.StashKey[SharedServers | AtTheDesk]()
_DESK = pytest.StashKey[Desk]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """`make test SERVERS=containers` chooses where the shared servers come from."""
    parser.addoption(
        "--servers", choices=PROVIDERS, default=PROVIDERS[0], help="where the servers tests share come from"
    )


def pytest_report_header(config: pytest.Config) -> str:
    """Say where the servers come from, and what does not run for want of an engine."""
    chosen = config.getoption("--servers")
    return f"servers: {chosen}" + (f"; none in containers: {absence()}" if absence() else "")


def pytest_configure(config: pytest.Config) -> None:
    """A worker asks the controller; everybody else owns the servers."""
    invitation = getattr(config, "workerinput", {}).get("shared_servers")
    if invitation is None:
        config.stash[_SERVERS] = SharedServers(provider_named(_available(config.getoption("--servers"))))
    else:
        host, port = invitation["address"]
        config.stash[_SERVERS] = AtTheDesk(host=(host, port), key=bytes.fromhex(invitation["key"]))


def _available(provider: str) -> str:
    if provider == "containers" and absence():
        raise pytest.UsageError(f"no container engine answers: {absence()}. Start one, or leave --servers away")
    return provider


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Called by xdist in the controller for each worker: hand it the invitation."""
    config = node.config
    servers = config.stash[_SERVERS]
    if _DESK not in config.stash:
        config.stash[_DESK] = Desk(servers)
    node.workerinput["shared_servers"] = config.stash[_DESK].invitation


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what this process owns."""
    if _DESK in config.stash:
        config.stash[_DESK].close()
    servers = config.stash.get(_SERVERS, None)
    if isinstance(servers, SharedServers):
        servers.close()


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> SharedPostgres:
    return SharedPostgres(request.config.stash[_SERVERS].address("postgres"))


@pytest.fixture(scope="session")
def kafka(request: pytest.FixtureRequest) -> SharedKafka:
    return SharedKafka(request.config.stash[_SERVERS].address("kafka"))


@pytest.fixture
async def valkey(request: pytest.FixtureRequest, worker_number: int) -> SharedValkey:
    """An empty database of the shared server, this worker's own."""
    server, _, _ = request.config.stash[_SERVERS].address("valkey").rpartition("/")
    shared = SharedValkey(f"{server}/{worker_number}")
    async with Redis.from_url(shared.url) as client:
        await client.flushdb()
    return shared


@pytest.fixture(scope="session")
def worker_number(request: pytest.FixtureRequest) -> int:
    """0, 1, … for each of the processes that run tests side by side."""
    name = getattr(request.config, "workerinput", {}).get("workerid", "gw0")
    return int(name.removeprefix("gw"))


@pytest.fixture
async def database(postgres: SharedPostgres) -> AsyncIterator[Database]:
    """A database of this test alone, dropped with whoever is still connected."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    admin = await asyncpg.connect(postgres.admin_dsn)
    try:
        await admin.execute(f'CREATE DATABASE "{name}"')
        yield Database(name, f"{postgres.admin_dsn.rpartition('/')[0]}/{name}", postgres)
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await admin.close()


@pytest.fixture
async def topic(kafka: SharedKafka) -> AsyncIterator[MakeTopic]:
    """A maker of topics of this test alone, deleted after it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    made: list[str] = []

    async def make(name: str, *, partitions: int = 1, **configs: str) -> str:
        unique = f"{name}-{uuid.uuid4().hex[:8]}"
        settings = {key.replace("_", "."): value for key, value in configs.items()}
        answer = await admin.create_topics([NewTopic(unique, partitions, 1, topic_configs=settings)])
        assert [error for _, error, *_ in answer.topic_errors] == [0], answer
        made.append(unique)
        return unique

    try:
        yield make
        if made:
            await admin.delete_topics(made)
    finally:
        await admin.close()


@pytest.fixture
def server_folder() -> Iterator[Path]:
    """A folder for servers of this test alone."""
    folder = servers_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_postgres(server_folder: Path) -> Iterator[StartPostgres]:
    """A starter of PostgreSQL servers that may be crashed; all are killed after the test."""
    with ExitStack() as started:

        def start(**options: Any) -> Postgres:
            folder = server_folder / f"postgres-{uuid.uuid4().hex[:6]}"
            server = Postgres(folder, free_port(), dies_with_parent=True, **options)
            started.callback(server.kill)
            server.start()
            return server

        yield start


@pytest.fixture
def own_kafka(server_folder: Path) -> Iterator[StartKafka]:
    """A starter of Kafka clusters that may be crashed; all are killed after the test."""
    with ExitStack() as started:

        def start(brokers: int = 1, **options: Any) -> Kafka:
            folder = server_folder / f"kafka-{uuid.uuid4().hex[:6]}"
            server = Kafka(folder, brokers, dies_with_parent=True, **options)
            started.callback(server.kill)
            server.start()
            return server

        yield start
