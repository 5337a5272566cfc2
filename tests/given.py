"""What the fixtures in conftest hand to a test, as types to annotate with."""

from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from stack.servers import Kafka, Postgres


@dataclass(frozen=True, slots=True)
class SharedPostgres:
    """The PostgreSQL all tests share (not durable: it never crashes). A test takes a `database` in it."""

    admin_dsn: str

    def dsn(self, database: str, user: str, password: str) -> str:
        """The address of a database for a user."""
        at = urlsplit(self.admin_dsn)
        return f"postgresql://{quote(user)}:{quote(password)}@{at.hostname}:{at.port}/{database}"


@dataclass(frozen=True, slots=True)
class SharedKafka:
    """The broker all tests share. A test takes topics of its own from `topic`."""

    bootstrap: str


@dataclass(frozen=True, slots=True)
class SharedValkey:
    """The Valkey all tests share; `url` names an empty database of this test alone."""

    url: str


@dataclass(frozen=True, slots=True)
class Database:
    """A fresh, empty database; `dsn` is its superuser's."""

    name: str
    dsn: str
    server: SharedPostgres

    def dsn_for(self, role: str, password: str) -> str:
        """The address of this database for another role."""
        return self.server.dsn(self.name, role, password)


class MakeTopic(Protocol):
    """Creates a topic with a unique name that begins with `name`, and returns that name."""

    async def __call__(self, name: str, *, partitions: int = 1, **configs: str) -> str: ...


class StartPostgres(Protocol):
    """Starts a durable PostgreSQL for this test alone; `options` are the constructor's."""

    def __call__(self, **options: Any) -> Postgres: ...


class StartKafka(Protocol):
    """Starts a cluster for this test alone; `options` are the constructor's."""

    def __call__(self, brokers: int = 1, **options: Any) -> Kafka: ...
