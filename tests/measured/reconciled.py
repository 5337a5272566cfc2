"""`python -m tests.measured.reconciled CHANGES`: the checker on so many changes in real servers of its own, measured.

Fills both databases and the topic by hand, then runs `reconcile` in a process of its own and prints how that went.
"""

from __future__ import annotations

import asyncio
import json
import resource
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING, Final

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from chassis.config import load
from services.loms.migrations.run import upgrade
from services.notification import bootstrap
from services.notification.settings import SchemaSettings
from stack.databases import create_database, dsn_of, owner_of
from stack.ports import free_port
from stack.servers import Kafka, Postgres
from tests.audit_trigger import install_audit_trigger
from tests.shared_servers import servers_folder
from verification.murmur2 import partition_of
from verification.reconcile import EVERYTHING, Places, reconcile

if TYPE_CHECKING:
    from collections.abc import Iterator

LIFE: Final = ["new", "awaiting payment", "paid"]
TOPIC: Final = "measured"
PARTITIONS: Final = 16
PASSWORD: Final = "measured"
_SQL: Final = Path(__file__).parents[1] / "sql" / "measured"

Record = tuple[bytes, bytes, list[tuple[str, bytes]]]


def main(changes: int) -> None:
    """Start, fill, measure, end."""
    folder = servers_folder()
    with ExitStack() as down:
        down.callback(shutil.rmtree, folder, ignore_errors=True)
        postgres = down.enter_context(Postgres(folder / "postgres", free_port(), dies_with_parent=True))
        kafka = down.enter_context(Kafka(folder / "kafka", dies_with_parent=True))
        began = time.monotonic()
        asyncio.run(_prepare(postgres))
        asyncio.run(_fill(postgres, kafka, changes // len(LIFE)))
        print(f"filled in {time.monotonic() - began:.0f} s", file=sys.stderr)
        command = [sys.executable, "-m", "tests.measured.reconciled", "check", postgres.admin_dsn, kafka.bootstrap]
        subprocess.run(command, check=True)  # noqa: S603  ourselves


def check(admin_dsn: str, bootstrap_servers: str) -> None:
    """Run the checker with no more rights than the verifier's; print its figures."""
    places = Places(
        orders_dsn=_as_verifier(dsn_of(admin_dsn, "loms")),
        notification_dsn=_as_verifier(dsn_of(admin_dsn, "notification")),
        bootstrap_servers=bootstrap_servers,
        telegram_url=None,
        topic=TOPIC,
    )
    report = asyncio.run(reconcile(places, since=EVERYTHING, settle_seconds=0))
    figures = {
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "seconds": round(report.seconds, 1),
        "cpu_seconds": round(time.process_time(), 1),
        "matched": [tally.matched for _, tally in report.tallies.named()],
        "found": report.counts,
        "lacking": report.lacking,
    }
    print(json.dumps(figures))


async def _prepare(postgres: Postgres) -> None:
    for name in ("loms", "notification"):
        await create_database(
            postgres.admin_dsn, name, owner_password=PASSWORD, app_password=PASSWORD, verifier_password=PASSWORD
        )


async def _fill(postgres: Postgres, kafka: Kafka, orders: int) -> None:
    await asyncio.to_thread(_migrate, postgres)
    await install_audit_trigger(dsn_of(postgres.admin_dsn, "loms"))
    connection = await asyncpg.connect(dsn_of(postgres.admin_dsn, "loms"))
    async with connection.transaction():
        await connection.execute(_statement("01_new"), orders)
        for status in LIFE[1:]:
            await connection.execute(_statement("02_move"), status)
        await connection.execute(_statement("03_rows"), TOPIC, LIFE)
    await connection.close()
    connection = await asyncpg.connect(dsn_of(postgres.admin_dsn, "notification"))
    await connection.execute(_statement("04_ledger"), orders, LIFE)
    await connection.close()
    await _publish(kafka, orders)


def _migrate(postgres: Postgres) -> None:
    upgrade(owner_url=postgres.dsn("loms", owner_of("loms"), PASSWORD), app_role="loms")
    owner = postgres.dsn("notification", owner_of("notification"), PASSWORD)
    application = postgres.dsn("notification", "notification", PASSWORD)
    urls = {"NOTIFICATION_OWNER_URL": owner, "NOTIFICATION_DATABASE_URL": application}
    bootstrap.migrate(load(SchemaSettings, urls))


async def _publish(kafka: Kafka, orders: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    batches = {number: producer.create_batch() for number in range(PARTITIONS)}
    for order_id in range(1, orders + 1):
        number = partition_of(str(order_id).encode(), PARTITIONS)
        for key, value, headers in _records(order_id):
            while batches[number].append(timestamp=None, key=key, value=value, headers=headers) is None:
                await producer.send_batch(batches[number], TOPIC, partition=number)
                batches[number] = producer.create_batch()
    for number, batch in batches.items():
        await producer.send_batch(batch, TOPIC, partition=number)
    await producer.stop()


def _records(order_id: int) -> Iterator[Record]:
    key, now = str(order_id).encode(), datetime.now(UTC).isoformat().encode()  # noqa: TID251  a time nobody compares
    for version, status in enumerate(LIFE, start=1):
        event_id = md5(f"{order_id}:{version}".encode(), usedforsecurity=False).hexdigest()
        headers = [
            ("ce_id", event_id.encode()),
            ("ce_type", f"order.{status.replace(' ', '_')}".encode()),
            ("ce_time", now),
            ("ce_sequence", b"%d" % version),
            ("outbox_history", b"7300/1"),
            ("outbox_epoch", b"1"),
        ]
        yield key, f'{{"order_id": {order_id}, "status": "{status}"}}'.encode(), headers


def _statement(name: str) -> str:
    return (_SQL / f"{name}.sql").read_text(encoding="utf-8")


def _as_verifier(dsn: str) -> str:
    return f"{dsn}?options=-crole%3Dverifier"


if __name__ == "__main__":
    if sys.argv[1] == "check":
        check(*sys.argv[2:])
    else:
        main(int(sys.argv[1]))
