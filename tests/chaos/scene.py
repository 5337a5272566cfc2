"""A scene: two databases, a topic, a crew made of the libraries alone; faults reach into it, a judge looks at it."""

import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import asyncpg

from stack.databases import dsn_of
from stack.servers import Kafka, Postgres
from tests.chaos import tables
from tests.chaos.actor import CONSUMER
from tests.chaos.crew import Crew
from tests.chaos.eye import Eye
from tests.chaos.facts import Witnesses
from tests.chaos.history import open_attempts, read_histories
from tests.chaos.topic import make_topic, records_of
from tests.commit_cut import CommitCut, commit_cut
from tests.produce_cut import ProduceCut, produce_cut
from tests.waiting import eventually

PARTITIONS = 4
RELAYS = CONSUMERS = WRITERS = 2

_HANDS = 5
_REST_SECONDS_MAX = 180.0
_LATEST = (
    "select coalesce(json_agg(json_build_array(order_id::text, version)), '[]')::text "
    "from (select order_id, version from order_audit order by place desc limit 25) as latest"
)
_APPLIED = (
    "select count(*) from json_array_elements($1::text::json) as wanted where not exists "
    "(select from effects where key = wanted->>0 and version = (wanted->>1)::bigint)"
)


@dataclass(slots=True, kw_only=True)
class Scene:
    """Everything a fault may reach."""

    seed: int
    control: str
    pause_seconds: float
    postgres: Postgres
    kafka: Kafka
    topic: str
    crew: Crew
    shop_dsn: str
    ledger_dsn: str
    shop: Eye
    ledger: Eye
    writers_cut: CommitCut
    writers_dsn: str
    consumers_cut: CommitCut
    consumers_dsn: str
    relays_cut: ProduceCut
    relays_bootstrap: str
    numbers: "dict[str, count[int]]"

    @property
    def brokers(self) -> int:
        """How many brokers the cluster has."""
        return len(self.kafka.ports)

    def start(self, role: str, name: str | None = None) -> str:
        """Put one more to work, or the one with this name again."""
        name = name or f"{role}-{next(self.numbers[role])}"
        self.crew.start(role, name, {"seed": str(self.seed), "topic": self.topic, **self._told(role, name)})
        return name

    def history(self, writer: str) -> Path:
        """What a writer wrote down."""
        return self.crew.folder / f"{writer}.history"

    def attempts_open(self, writer: str) -> int:
        """How many attempts of a writer have no end yet."""
        return open_attempts(self.history(writer)) if self.history(writer).exists() else 0

    async def caught_up(self, *, within: float) -> None:
        """Wait until what was committed last has taken effect; raise AssertionError if it does not."""
        latest = await self.shop.ask(_LATEST)
        await eventually(lambda: self._applied(latest), within=within, every=0.1)

    async def come_to_rest(self, *, within: float = _REST_SECONDS_MAX) -> None:
        """Stop writing, give the rest the time it needs, stop everybody."""
        await self.crew.dismiss("writer")
        with suppress(AssertionError):
            await eventually(self._equal, within=within, every=0.25)
        await self.crew.dismiss("consumer")
        await self.crew.dismiss("relay")

    async def witnesses(self) -> Witnesses:
        """Ask everybody who saw something."""
        shop, ledger = await self.shop.connection(), await self.ledger.connection()
        records, partitions = await records_of(self.kafka.bootstrap, self.topic)
        return Witnesses(
            history=read_histories(self.crew.folder.glob("*.history")),
            orders=await tables.orders_of(shop),
            audit=await tables.audit_of(shop),
            rows=await tables.rows_of(shop),
            records=records,
            partitions=partitions,
            effects=await tables.effects_of(ledger),
            echoes=await tables.echoes_of(ledger),
            parked=await tables.parked_of(ledger),
            consumers=[CONSUMER],
        )

    async def _applied(self, latest: str) -> bool:
        self.crew.check()
        return bool(await self.ledger.ask(_APPLIED, latest) == 0)

    async def _equal(self) -> bool:
        self.crew.check()
        changes = await self.shop.ask("select count(*) from order_audit")
        return bool(await self.ledger.ask("select count(distinct event_id) from effects") == changes)

    def _told(self, role: str, name: str) -> dict[str, object]:
        if role == "writer":
            return {
                "dsn": self.writers_dsn,
                "direct_dsn": self.shop_dsn,
                "history": str(self.history(name)),
                "hands": _HANDS,
                "pause_seconds": self.pause_seconds,
            }
        if role == "relay":
            return {"dsn": self.shop_dsn, "bootstrap": self.relays_bootstrap, "control": self.control}
        return {"dsn": self.consumers_dsn, "bootstrap": self.kafka.bootstrap, "control": self.control}


@asynccontextmanager
async def scene(
    folder: Path, postgres: Postgres, kafka: Kafka, *, seed: int, control: str = "", pause_seconds: float = 0.1
) -> AsyncIterator[Scene]:
    """Make the databases and the topic, put everybody to work; kill whoever is left at the end.

    What everybody writes beside goes to `folder`, which must be there and empty.
    """
    async with AsyncExitStack() as down:
        shop_dsn, ledger_dsn = await _databases(postgres.admin_dsn)
        copies = min(3, len(kafka.ports))
        settings = {"min_insync_replicas": str(max(1, copies - 1))}
        topic = f"orders-{uuid.uuid4().hex[:8]}"
        await make_topic(kafka.bootstrap, topic, partitions=PARTITIONS, copies=copies, **settings)
        writers_cut, writers_dsn = await down.enter_async_context(commit_cut(shop_dsn))
        consumers_cut, consumers_dsn = await down.enter_async_context(commit_cut(ledger_dsn))
        relays_cut, relays_bootstrap = await down.enter_async_context(produce_cut(kafka.ports))
        made = Scene(
            seed=seed,
            control=control,
            pause_seconds=pause_seconds,
            postgres=postgres,
            kafka=kafka,
            topic=topic,
            crew=Crew(folder),
            shop_dsn=shop_dsn,
            ledger_dsn=ledger_dsn,
            shop=Eye(shop_dsn),
            ledger=Eye(ledger_dsn),
            writers_cut=writers_cut,
            writers_dsn=writers_dsn,
            consumers_cut=consumers_cut,
            consumers_dsn=consumers_dsn,
            relays_cut=relays_cut,
            relays_bootstrap=relays_bootstrap,
            numbers={role: count() for role in ("relay", "consumer", "writer", "prepared")},
        )
        down.callback(made.shop.close)
        down.callback(made.ledger.close)
        down.callback(made.crew.kill_all)
        for role, number in (("relay", RELAYS), ("consumer", CONSUMERS), ("writer", WRITERS)):
            for _ in range(number):
                made.start(role)
        yield made


async def _databases(admin_dsn: str) -> tuple[str, str]:
    admin = await asyncpg.connect(admin_dsn)
    try:
        for name in ("shop", "ledger"):
            await admin.execute(f"drop database if exists {name} with (force)")
            await admin.execute(f"create database {name}")
    finally:
        await admin.close()
    shop_dsn, ledger_dsn = dsn_of(admin_dsn, "shop"), dsn_of(admin_dsn, "ledger")
    await tables.install_shop(shop_dsn)
    await tables.install_ledger(ledger_dsn)
    return shop_dsn, ledger_dsn
