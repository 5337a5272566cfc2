"""Build each process of LOMS from its parts: the only file that constructs.

`api`, `relay`, `migrate` and `seed` are the real doors; `servicer` and `rpc_server` are the doors for tests, which
bring their own unit of work. Each imports what it builds, so that no process carries what another one needs.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from chassis import logs, telemetry
from chassis.health import Health
from chassis.lifecycle import Service, Task
from chassis.pooler import DirectAddress
from events.topics import catalogue
from outbox import Relay, TopicRule, Wake, errors, uuid7

if TYPE_CHECKING:
    from chassis.rpc_server import RpcServer
    from services.loms.api.servicer import LomsServicer
    from services.loms.repository.unit_of_work import Pool as PoolPort
    from services.loms.repository.unit_of_work import UnitOfWork, Wakes
    from services.loms.service.expirer import Expirer
    from services.loms.service.ports import UnitOfWork as UnitOfWorkPort
    from services.loms.settings import ApiSettings, RelaySettings, SchemaSettings

DOMAIN = "loms"

ACQUIRE_SECONDS_MAX = 8.0
"""How long a call waits for a connection in a burst: it still answers before the ten seconds of the HTTP face end."""


def api(settings: ApiSettings) -> Service:
    """Build the process that serves gRPC."""
    from chassis.postgres import Pool
    from services.loms.service.forgetting import Forgetting

    logs.configure(DOMAIN, "api", settings.log_level)
    tracing = telemetry.configure(DOMAIN, "api", settings.otlp_endpoint)
    pool = Pool(
        settings.database_url.get_secret_value(),
        application_name=f"loms-api {settings.instance}",
        max_size=settings.pool_size,
        acquire_seconds_max=ACQUIRE_SECONDS_MAX,
    )
    direct_url = settings.direct_url.get_secret_value()
    direct = DirectAddress(direct_url, setting="LOMS_DIRECT_URL", reason="the wake has settings of a session")
    wake = Wake(direct_url)
    work = unit_of_work(pool, wake)
    server = rpc_server(settings.grpc_address, servicer(work, pool), calls_max=settings.calls_max)
    health = Health(settings.health_address, {"postgres": pool.check, "grpc": server.check})
    forgetting = Forgetting(unit_of_work=work)
    forgetter = Task("forgetting", forgetting.run, stop=forgetting.request_stop)
    expiry = [_expiry(pool, wake, unpaid_seconds=settings.unpaid_seconds)] if settings.expirer else []
    return Service("loms-api", tracing, health, pool, direct, wake, forgetter, *expiry, server)


def relay(settings: RelaySettings) -> Service:
    """Build the process that carries the outbox to Kafka: one of them is active, the others stand by."""
    logs.configure(DOMAIN, "relay", settings.log_level)
    tracing = telemetry.configure(DOMAIN, "relay", settings.otlp_endpoint)
    owner_url = settings.owner_url.get_secret_value()
    direct = DirectAddress(owner_url, setting="LOMS_OWNER_URL", reason="the relay listens in a session of its own")
    carrier = Relay(
        dsn=owner_url,
        bootstrap_servers=settings.kafka_bootstrap,
        topics=topic_rules(),
        source=DOMAIN,
        instance=settings.instance,
    )
    task = Task("relay", carrier.run, stop=carrier.request_stop, operator_errors=(errors.NeedsOperator,))
    return Service("loms-relay", tracing, Health(settings.health_address, {}), direct, task)


def migrate(settings: SchemaSettings) -> None:
    """Bring the schema to its newest version."""
    from services.loms.migrations.run import upgrade

    asyncio.run(_direct_owner(settings).start())
    upgrade(owner_url=settings.owner_url.get_secret_value(), app_role=settings.app_role)


async def seed(settings: SchemaSettings) -> None:
    """Load the first stock, where it is missing."""
    from services.loms.repository.seed import seed as seed_stock

    await _direct_owner(settings).start()
    await seed_stock(settings.owner_url.get_secret_value())


def _direct_owner(settings: SchemaSettings) -> DirectAddress:
    owner_url = settings.owner_url.get_secret_value()
    return DirectAddress(owner_url, setting="LOMS_OWNER_URL", reason="migrations hold a session's locks")


def unit_of_work(pool: PoolPort, wake: Wakes) -> UnitOfWork:
    """Build what lends the database, over a pool."""
    from services.loms.repository.order_events import OrderEvents
    from services.loms.repository.unit_of_work import UnitOfWork

    return UnitOfWork(pool=pool, events=OrderEvents(new_id=uuid7, trace=telemetry.inject), wake=wake)


def servicer(unit_of_work: UnitOfWorkPort, pool: PoolPort) -> LomsServicer:
    """Build the calls over a unit of work; what only reads pages takes its connections from the pool."""
    from services.loms.api.listing import ListingApi
    from services.loms.api.orders import OrdersApi
    from services.loms.api.servicer import LomsServicer
    from services.loms.api.stocks import StocksApi
    from services.loms.repository.listing import OrderPages
    from services.loms.service.listing import ListingService
    from services.loms.service.orders import OrderService
    from services.loms.service.stocks import StockService

    return LomsServicer(
        orders=OrdersApi(orders=OrderService(unit_of_work=unit_of_work)),
        listing=ListingApi(listing=ListingService(pages=OrderPages(pool=pool))),
        stocks=StocksApi(stocks=StockService(unit_of_work=unit_of_work)),
    )


def expirer(pool: PoolPort, wake: Wakes, *, unpaid: timedelta) -> Expirer:
    """Build the loop that cancels orders which stay unpaid."""
    from services.loms.repository.expiry import OverdueOrders
    from services.loms.service.expirer import Expirer

    overdue = OverdueOrders(pool=pool, unit_of_work=lambda one: unit_of_work(one, wake))
    return Expirer(overdue=overdue, unpaid=unpaid, chance=Random())  # noqa: S311 - jitter, not a secret


def _expiry(pool: PoolPort, wake: Wakes, *, unpaid_seconds: int) -> Task:
    loop = expirer(pool, wake, unpaid=timedelta(seconds=unpaid_seconds))
    return Task("expirer", loop.run, stop=loop.request_stop)


def rpc_server(address: str, calls: LomsServicer, *, calls_max: int = 1_000) -> RpcServer:
    """Build the gRPC server with the table of refusals."""
    from chassis.rpc_server import RpcServer
    from rpc.loms.v1.loms_pb2_grpc import add_LomsServiceServicer_to_server
    from services.loms.api.errors import REFUSALS
    from services.loms.api.servicer import SERVICE

    register = partial(add_LomsServiceServicer_to_server, calls)
    return RpcServer(address, domain=DOMAIN, services={SERVICE: register}, refusals=REFUSALS, calls_max=calls_max)


def topic_rules() -> list[TopicRule]:
    """Return what append and relay must know of the topics this service writes."""
    return [
        TopicRule(topic.name, versioned=topic.versioned, max_bytes=topic.max_message_bytes, source=DOMAIN)
        for topic in catalogue().written_by(DOMAIN)
    ]
