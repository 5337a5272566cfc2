"""What a person may choose about the stack: one frozen object read from ONELANE_* variables, bounds checked.

A port setting is one number or, where a server has several (brokers, health ports), the first of consecutive ones or a
comma-separated list; 0 means any free port.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from stack.errors import StackError
from stack.external import External, external_of
from stack.home import Home, home_of

PORT_MAX = 65_535
BROKERS_MAX = 5
SECONDS_MAX = 3600


class BadSetting(StackError):
    """A variable holds a value outside its bound."""

    def __init__(self, variable: str, value: str, *, bound: str) -> None:
        super().__init__(f"{variable}={value!r} is not {bound}", cure=f"set {variable} to {bound}, or unset it")
        self.variable = variable


@dataclass(frozen=True, slots=True)
class PortSetting:
    """One listener: the variable that moves it and where it is otherwise.

    `movable`: when its default is taken the next free port is used instead of refusing.
    """

    variable: str
    default: int
    movable: bool = False


PORTS: Mapping[str, PortSetting] = MappingProxyType(
    {
        "postgres": PortSetting("ONELANE_POSTGRES_PORT", 5432, movable=True),
        "pgbouncer": PortSetting("ONELANE_PGBOUNCER_PORT", 6432, movable=True),
        "kafka": PortSetting("ONELANE_KAFKA_PORT", 9092),
        "kafka-controller": PortSetting("ONELANE_KAFKA_CONTROLLER_PORT", 19092),
        "valkey": PortSetting("ONELANE_VALKEY_PORT", 6379),
        "valkey-cache": PortSetting("ONELANE_VALKEY_CACHE_PORT", 6380),
        "telegram": PortSetting("ONELANE_TELEGRAM_PORT", 8081),
        "loms-grpc": PortSetting("ONELANE_LOMS_GRPC_PORT", 8083),
        "loms-http": PortSetting("ONELANE_LOMS_HTTP_PORT", 8084),
        "cart-http": PortSetting("ONELANE_CART_HTTP_PORT", 8080),
        "product-http": PortSetting("ONELANE_PRODUCT_HTTP_PORT", 8082),
        "product-grpc": PortSetting("ONELANE_PRODUCT_GRPC_PORT", 8085),
        "projection-http": PortSetting("ONELANE_PROJECTION_HTTP_PORT", 8087),
        "health": PortSetting("ONELANE_HEALTH_PORT", 9101),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The choices. `ports` holds only listeners somebody chose; the others take their defaults.

    `brokers` None means as many as the data was made with, one for new data. `pooler` puts a pgbouncer before the
    database of LOMS. `external` are servers of others, used instead of ours.
    """

    home: Home
    brokers: int | None = None
    ports: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    telegram_token: str | None = None
    telegram_limits: bool = True
    otlp_endpoint: str | None = None
    maven_mirror: str | None = None
    servers_only: bool = False
    pooler: bool = False
    external: External | None = None
    log_level: str = "INFO"
    start_seconds_max: float = 120.0
    stop_seconds_max: float = 45.0

    def environment(self) -> dict[str, str]:
        """The variables that make the same choices in another process."""
        chosen = {
            "ONELANE_HOME": str(self.home.folder),
            "ONELANE_LOG_LEVEL": self.log_level,
            "ONELANE_START_SECONDS_MAX": str(self.start_seconds_max),
            "ONELANE_STOP_SECONDS_MAX": str(self.stop_seconds_max),
            **{PORTS[name].variable: ",".join(map(str, numbers)) for name, numbers in self.ports.items()},
        }
        optional = {
            "ONELANE_BROKERS": str(self.brokers) if self.brokers else None,
            "ONELANE_TELEGRAM_TOKEN": self.telegram_token,
            "ONELANE_TELEGRAM_LIMITS": None if self.telegram_limits else "0",
            "ONELANE_MAVEN_MIRROR": self.maven_mirror,
            "ONELANE_SERVERS_ONLY": "1" if self.servers_only else None,
            "ONELANE_POOLER": "1" if self.pooler else None,
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.otlp_endpoint,
            **(self.external.environment() if self.external else {}),
        }
        return chosen | {name: value for name, value in optional.items() if value}


def settings_of(environment: Mapping[str, str]) -> Settings:
    """Read the choices; raises BadSetting naming the variable, its value and the bound."""
    return Settings(
        home=home_of(environment),
        brokers=_count(environment, "ONELANE_BROKERS", most=BROKERS_MAX),
        ports=MappingProxyType(_ports(environment)),
        telegram_token=environment.get("ONELANE_TELEGRAM_TOKEN") or None,
        otlp_endpoint=environment.get("OTEL_EXPORTER_OTLP_ENDPOINT") or None,
        maven_mirror=environment.get("ONELANE_MAVEN_MIRROR") or None,
        telegram_limits=_one_of(environment, "ONELANE_TELEGRAM_LIMITS", ("1", "TRUE", "0", "FALSE")) in {"1", "TRUE"},
        servers_only=_switch(environment, "ONELANE_SERVERS_ONLY"),
        pooler=_switch(environment, "ONELANE_POOLER"),
        external=_external(environment),
        log_level=_one_of(environment, "ONELANE_LOG_LEVEL", ("INFO", "DEBUG", "WARNING", "ERROR")),
        start_seconds_max=_seconds(environment, "ONELANE_START_SECONDS_MAX", default=120.0),
        stop_seconds_max=_seconds(environment, "ONELANE_STOP_SECONDS_MAX", default=45.0),
    )


def _external(environment: Mapping[str, str]) -> External | None:
    if not _switch(environment, "ONELANE_EXTERNAL"):
        return None
    for ours in ("ONELANE_BROKERS", "ONELANE_POOLER"):
        if environment.get(ours):
            raise BadSetting(ours, environment[ours], bound="a choice for servers of others (ONELANE_EXTERNAL)")
    return external_of(environment)


def _ports(environment: Mapping[str, str]) -> dict[str, tuple[int, ...]]:
    set_ones = {name: setting.variable for name, setting in PORTS.items() if environment.get(setting.variable)}
    return {name: _port_list(variable, environment[variable]) for name, variable in set_ones.items()}


def _port_list(variable: str, value: str) -> tuple[int, ...]:
    try:
        numbers = tuple(int(part) for part in value.split(","))
    except ValueError:
        numbers = ()
    if not numbers or not all(0 <= number <= PORT_MAX for number in numbers):
        raise BadSetting(variable, value, bound=f"a port from 0 to {PORT_MAX}")
    return numbers


def _count(environment: Mapping[str, str], variable: str, *, most: int) -> int | None:
    value = environment.get(variable)
    if not value:
        return None
    if not value.isdecimal() or not 1 <= int(value) <= most:
        raise BadSetting(variable, value, bound=f"a whole number from 1 to {most}")
    return int(value)


def _seconds(environment: Mapping[str, str], variable: str, *, default: float) -> float:
    value = environment.get(variable) or str(default)
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 1.0 <= seconds <= SECONDS_MAX:
        raise BadSetting(variable, value, bound=f"a number of seconds from 1 to {SECONDS_MAX}")
    return seconds


def _switch(environment: Mapping[str, str], variable: str) -> bool:
    return _one_of(environment, variable, ("0", "FALSE", "1", "TRUE")) in {"1", "TRUE"}


def _one_of(environment: Mapping[str, str], variable: str, allowed: tuple[str, ...]) -> str:
    value = environment.get(variable) or allowed[0]
    if value.upper() not in allowed:
        raise BadSetting(variable, value, bound=f"one of {', '.join(allowed)}")
    return value.upper()
