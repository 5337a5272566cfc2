"""The stand: one PostgreSQL and one Kafka of its own, the same for every contestant, gone when the block ends."""

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bench.events import FIRST_NUMBER, FIRST_ORDER_ID, ORDERS
from bench.settings import Settings
from bench.statements import schema
from inbox import install_sql as inbox_sql
from outbox import install_sql as outbox_sql
from stack.ports import LOOPBACK, free_port
from stack.servers import Kafka, Postgres

DATABASE = "bench"
POSTGRES_SETTINGS = {
    "wal_level": "logical",  # Debezium reads the log; the others live with it
    "shared_buffers": "512MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",  # no contestant shall be the one who meets the checkpoint
}
KAFKA_HEAP_MIB = 512
_STATEMENT_SECONDS_MAX = 900.0


@dataclass(slots=True)
class Stand:
    """The servers of a run, and what is handed out once: event numbers and folders."""

    folder: Path
    settings: Settings
    postgres: Postgres
    kafka: Kafka
    _next_number: int = field(default=FIRST_NUMBER)

    @property
    def dsn(self) -> str:
        """The superuser's address of the database everything lies in."""
        return self.dsn_of(DATABASE)

    def dsn_of(self, database: str) -> str:
        """The superuser's address of another database of the server."""
        return self.postgres.dsn(database, "postgres", self.postgres.password)

    def numbers(self, count: int) -> int:
        """The first of so many event numbers nobody had before; it belongs to the first order."""
        first = self._next_number
        self._next_number += -(-count // ORDERS) * ORDERS
        return first

    def sql(self, query: str, *args: Any, database: str = DATABASE) -> list[Any]:
        """The rows of one statement."""

        async def ask(connection: "asyncpg.Connection[Any]") -> list[Any]:
            return list(await connection.fetch(query, *args))

        return asyncio.run(self._asked(ask, database))

    def script(self, *statements: str) -> None:
        """Run statements one after the other on one connection, each in its own transaction."""

        async def run(connection: "asyncpg.Connection[Any]") -> list[Any]:
            for each in statements:
                await connection.execute(each)
            return []

        asyncio.run(self._asked(run, DATABASE))

    async def _asked(
        self, work: Callable[["asyncpg.Connection[Any]"], Awaitable[list[Any]]], database: str
    ) -> list[Any]:
        connection = await asyncpg.connect(self.dsn_of(database), command_timeout=_STATEMENT_SECONDS_MAX)
        try:
            return await work(connection)
        finally:
            await connection.close()

    def topic(self, name: str) -> str:
        """Make the topic if it is not there."""

        async def make() -> None:
            admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka.bootstrap)
            await admin.start()
            try:
                if name not in await admin.list_topics():
                    await admin.create_topics([NewTopic(name, self.settings.partitions, 1)])
            finally:
                await admin.close()

        asyncio.run(make())
        return name

    def ends(self, topic: str) -> dict[int, int]:
        """Where each partition of a topic ends now."""

        async def ask() -> dict[int, int]:
            consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka.bootstrap, group_id=None)
            await consumer.start()
            try:
                parts = [TopicPartition(topic, each) for each in range(self.settings.partitions)]
                return {at.partition: end for at, end in (await consumer.end_offsets(parts)).items()}
            finally:
                await consumer.stop()

        return asyncio.run(ask())


@contextmanager
def stand(settings: Settings) -> Iterator[Stand]:
    """Start the servers, make the tables; stop and remove all of it at the end, whatever happened."""
    folder = Path(tempfile.mkdtemp(prefix="onelane-bench-"))
    folder.chmod(0o755)  # the servers' ordinary user must be able to enter
    with ExitStack() as open_things:
        open_things.callback(shutil.rmtree, folder, ignore_errors=True)
        postgres = Postgres(folder / "postgres", free_port(), extra_settings=POSTGRES_SETTINGS, dies_with_parent=True)
        kafka = Kafka(folder / "kafka", heap_mib=KAFKA_HEAP_MIB, dies_with_parent=True)
        open_things.enter_context(postgres)
        open_things.enter_context(kafka)
        made = Stand(folder, settings, postgres, kafka)
        asyncio.run(_make_database(made))
        yield made


async def _make_database(made: Stand) -> None:
    admin = await asyncpg.connect(made.postgres.admin_dsn)
    await admin.execute(f'create database "{DATABASE}"')
    await admin.close()
    inside = await asyncpg.connect(made.dsn)
    await inside.execute(outbox_sql(writer_role="postgres"))
    await inside.execute(inbox_sql(app_role="postgres"))
    await inside.execute(schema())
    await inside.execute(
        f"insert into orders select id, 0 from generate_series({FIRST_ORDER_ID}, {FIRST_ORDER_ID + ORDERS - 1}) as id"
    )
    await inside.execute("vacuum analyze orders")
    await inside.close()


def loopback(port: int) -> str:
    """`127.0.0.1:port`."""
    return f"{LOOPBACK}:{port}"
