"""What runs: servers, the steps that prepare them, service processes; who needs whom, with what environment.

The service processes are those of services.py.
"""

import os
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from stack.access import Access
from stack.envoy_config import render as envoy_configuration
from stack.errors import ClusterHasOtherSize
from stack.external import POSTGRES
from stack.external_units import external_units
from stack.fingerprint import Marker, fingerprint
from stack.home import CHECKOUT, Home
from stack.passwords import passwords_of
from stack.servers import Envoy, Kafka, Pgbouncer, Postgres, Valkey
from stack.servers.kafka import brokers_made
from stack.services import DATABASES, SERVICES, TOPICS, Service
from stack.settings import PORTS, Settings
from stack.state import Kind
from stack.units import Command, Facts, KafkaUnit, ServerUnit, ServiceUnit, StepUnit, Unit

_DOORS = frozenset({"loms-grpc", "loms-http", "product-http", "product-grpc", "cart-http", "projection-http"})
_STORES = frozenset({"postgres", "kafka", "kafka-controller", "valkey", "valkey-cache"})
CACHE_SHARDS = 2
_PREPARED_FROM = (
    "services/*/migrations",
    "services/*/repository",
    "services/*/*.json",
    "outbox",
    "inbox",
    "stack/prepare.py",
    "stack/databases.py",
    "stack/sql",
)


def brokers_of(settings: Settings) -> int:
    """How many brokers are to run: as made, else as chosen, else one; none of ours beside those of others.

    Raises ClusterHasOtherSize.
    """
    folder = _kafka_folder(settings.home)
    if settings.external:
        return 0
    made = brokers_made(folder)
    if made and settings.brokers not in {None, made}:
        raise ClusterHasOtherSize(folder, made=made, asked=settings.brokers or 1)
    return made or settings.brokers or 1


def listener_counts(settings: Settings) -> dict[str, int]:
    """How many ports each listener of settings.PORTS needs with these choices."""
    services = 0 if settings.servers_only else len(SERVICES)
    brokers = brokers_of(settings)
    several = {"kafka": brokers, "kafka-controller": brokers, "health": services, "valkey-cache": CACHE_SHARDS}
    absent = {"telegram"} if settings.telegram_token else set()
    absent |= _DOORS if settings.servers_only else set()
    absent |= set() if settings.pooler else {"pgbouncer"}
    if settings.external:
        absent |= _STORES | ({"loms-http"} if settings.external.loms_http_url else set())
    return {name: several.get(name, 1) for name in PORTS if name not in absent}


def access_of(settings: Settings, ports: Mapping[str, tuple[int, ...]]) -> Access:
    """The addresses a stack with these ports has."""
    return Access(ports, passwords_of(settings.home), settings.telegram_token, settings.external)


def units_of(settings: Settings, access: Access, *, on_jars: Callable[[int, int], None]) -> list[Unit]:
    """Everything that is to run, not started. `on_jars(ready, in all)` is told while jars are fetched."""
    units: list[Unit] = []
    if settings.external:
        units += external_units(settings.external)
    else:
        units += [_postgres(settings, access), _kafka(settings, access, on_jars), _valkey(settings, access)]
        units += [_cache_shard(number, settings, access) for number in range(CACHE_SHARDS)]
    if not settings.telegram_token:
        units.append(_stand_in(settings, access))
    if settings.pooler:
        units.append(_pgbouncer(settings, access))
    if not settings.servers_only:
        units += [_databases(settings, access), _topics(settings, access)]
        units += [_service(each, index, settings, access) for index, each in enumerate(SERVICES)]
        if "loms-http" in access.ports:
            units.append(_envoy(settings, access))
    return units


def _postgres(settings: Settings, access: Access) -> ServerUnit:
    server = Postgres(
        settings.home.data / "postgres",
        access.ports["postgres"][0],
        log=settings.home.log("postgres"),
        port_setting=PORTS["postgres"].variable,
    )
    return ServerUnit(server, address=access.address("postgres"))


def _pgbouncer(settings: Settings, access: Access) -> ServerUnit:
    """The pooler before the database of LOMS: for the role of the application alone, all others go directly."""
    server = Pgbouncer(
        settings.home.data / "pgbouncer",
        access.ports["pgbouncer"][0],
        upstream=access.address("postgres"),
        database="loms",
        passwords={"loms": access.passwords["loms"]},
        log=settings.home.log("pgbouncer"),
        port_setting=PORTS["pgbouncer"].variable,
    )
    return ServerUnit(server, address=access.address("pgbouncer"), needs=frozenset({"postgres"}))


def _kafka(settings: Settings, access: Access, on_jars: Callable[[int, int], None]) -> KafkaUnit:
    cluster = Kafka(
        _kafka_folder(settings.home),
        len(access.ports["kafka"]),
        access.ports["kafka"],
        controller_ports=access.ports["kafka-controller"],
        logs=settings.home.logs,
        port_setting=PORTS["kafka"].variable,
        mirror=settings.maven_mirror,
        progress=on_jars,
    )
    return KafkaUnit(cluster)


def _kafka_folder(home: Home) -> Path:
    return home.data / "kafka"


def _valkey(settings: Settings, access: Access) -> ServerUnit:
    server = Valkey(
        settings.home.data / "valkey",
        access.ports["valkey"][0],
        access.passwords["valkey"],
        users=[access.limits_user],
        log=settings.home.log("valkey"),
        port_setting=PORTS["valkey"].variable,
    )
    return ServerUnit(server, address=access.address("valkey"))


def _cache_shard(number: int, settings: Settings, access: Access) -> ServerUnit:
    name = f"valkey-cache-{number}"
    server = Valkey(
        settings.home.data / name,
        access.ports["valkey-cache"][number],
        access.passwords["valkey"],
        users=[access.cache_user],
        name=name,
        log=settings.home.log(name),
        port_setting=PORTS["valkey-cache"].variable,
    )
    return ServerUnit(server, address=access.address("valkey-cache", number))


def _envoy(settings: Settings, access: Access) -> ServerUnit:
    address = access.address("loms-http")
    server = Envoy(
        settings.home.data / "envoy",
        access.ports["loms-http"][0],
        envoy_configuration(listen=address, upstream=access.address("loms-grpc")),
        log=settings.home.log("envoy"),
        port_setting=PORTS["loms-http"].variable,
    )
    return ServerUnit(server, address=address, needs=frozenset({"loms-api"}))


def _stand_in(settings: Settings, access: Access) -> ServiceUnit:
    address = access.address("telegram")
    folder = settings.home.data / "telegram"
    facts = Facts(name="telegram", kind=Kind.SERVER, version="stand-in", address=address, health=address)
    limits = ("--limits",) if settings.telegram_limits else ()
    argv = ("-m", "stack.telegram", "--address", address, "--folder", str(folder), *limits)
    return ServiceUnit(facts, _command(settings, "telegram", argv, {}))


def _databases(settings: Settings, access: Access) -> StepUnit:
    facts = Facts(name=DATABASES, kind=Kind.STEP, needs=frozenset({"postgres"}))
    with_database = [each for each in SERVICES if DATABASES in each.needs]
    modules = sorted({each.module for each in with_database})
    environment = _administered(access)
    for each in with_database:
        environment |= each.environment(access)
    command = _command(settings, DATABASES, ("-m", "stack.prepare", *modules), environment)
    if access.external:
        return _every_time(settings, facts, command)
    marker = Marker(settings.home.data / "postgres" / "prepared")
    return StepUnit(facts, command, marker=marker, fingerprint=_prepared_from(*access.passwords.values()))


def _administered(access: Access) -> dict[str, str]:
    if access.external:
        return {POSTGRES: access.external.postgres_url}
    return {PORTS["postgres"].variable: str(access.ports["postgres"][0])}


def _topics(settings: Settings, access: Access) -> StepUnit:
    facts = Facts(name=TOPICS, kind=Kind.STEP, needs=frozenset({"kafka"}))
    argv = ("-m", "events", "create", "--bootstrap", access.kafka)
    if access.external:
        return _every_time(settings, facts, _command(settings, TOPICS, argv, {}))
    replicas = str(min(len(access.ports["kafka"]), 3))
    marker = Marker(_kafka_folder(settings.home) / "prepared")
    made_from = fingerprint([CHECKOUT / "events"], replicas)
    command = _command(settings, TOPICS, (*argv, "--replication", replicas), {})
    return StepUnit(facts, command, marker=marker, fingerprint=made_from)


def _every_time(settings: Settings, facts: Facts, command: Command) -> StepUnit:
    """What was prepared on servers of others may be gone since: it is done at every start."""
    marker = Marker(settings.home.run / f"{facts.name}.prepared")
    return StepUnit(facts, command, marker=marker, fingerprint=secrets.token_hex())


def _service(service: Service, index: int, settings: Settings, access: Access) -> ServiceUnit:
    health = access.address("health", index)
    pooler = frozenset({"pgbouncer"}) if settings.pooler and service.pooled else frozenset[str]()
    facts = Facts(
        name=service.name,
        kind=Kind.SERVICE,
        needs=service.needs | pooler,
        address=access.address(service.listens) if service.listens else "",
        health=health,
    )
    environment = {
        **{name: value for name, value in os.environ.items() if name.startswith(f"{service.prefix}_")},
        **service.environment(access),
        f"{service.prefix}_HEALTH_ADDRESS": health,
        f"{service.prefix}_INSTANCE": service.name,
    }
    return ServiceUnit(facts, _command(settings, service.name, ("-m", service.module, service.command), environment))


def _command(settings: Settings, name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Command:
    return Command(
        argv=(sys.executable, *arguments),
        environment={**_surroundings(settings), **environment},
        folder=settings.home.run,
        log=settings.home.log(name),
    )


def _surroundings(settings: Settings) -> dict[str, str]:
    """What every process of ours gets; of the caller's shell only this and a service's own settings reach it."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "SSL_CERT_FILE") if name in os.environ}
    tracing = {"OTEL_EXPORTER_OTLP_ENDPOINT": settings.otlp_endpoint} if settings.otlp_endpoint else {}
    return {
        **kept,
        **tracing,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        "MALLOC_ARENA_MAX": "2",
        "ONELANE_HOME": str(settings.home.folder),
        "LOG_LEVEL": settings.log_level,
    }


def _prepared_from(*facts: str) -> str:
    sources = [path for pattern in _PREPARED_FROM for path in CHECKOUT.glob(pattern)]
    return fingerprint(sources, *facts)
