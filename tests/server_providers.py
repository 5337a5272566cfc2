"""Where the servers tests share come from: this machine's own (stack.servers), or containers. One surface for both."""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from stack.ports import free_port
from stack.servers import Kafka, Postgres, Valkey

PROVIDERS = ("native", "containers")


class RunningServer(Protocol):
    """What stack.servers.Server promises, as far as tests that share a server rely on it."""

    @property
    def version(self) -> str:
        """The version of what runs."""

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""

    def start(self) -> None:
        """Start it if it does not run; returns when it answers."""

    def stop(self) -> None:
        """Stop it gracefully; data stay."""

    def kill(self) -> None:
        """SIGKILL it; data stay."""

    def freeze(self) -> None:
        """Let it be silent to everybody."""

    def thaw(self) -> None:
        """Let it go on."""


class PostgresServer(RunningServer, Protocol):
    """PostgreSQL."""

    @property
    def admin_dsn(self) -> str:
        """The superuser's address of the database `postgres`."""


class KafkaServer(RunningServer, Protocol):
    """A cluster of one broker."""

    @property
    def bootstrap(self) -> str:
        """Where clients begin."""


class ValkeyServer(RunningServer, Protocol):
    """Valkey."""

    @property
    def url(self) -> str:
        """The address with the password."""


class Provider(Protocol):
    """Makes servers, none started, each with data of its own."""

    def postgres(self, folder: Path, *, extra_settings: Mapping[str, str] | None = None) -> PostgresServer:
        """PostgreSQL, its data in `folder` where they are not in a container."""

    def kafka(self, folder: Path) -> KafkaServer:
        """Kafka, likewise."""

    def valkey(self, folder: Path) -> ValkeyServer:
        """Valkey, likewise."""

    def discard(self, servers: Sequence[RunningServer]) -> None:
        """End these servers of its making for good; nothing in them is worth a graceful stop."""


class NativeServers:
    """The machine's own, children of this process that end with it."""

    def postgres(self, folder: Path, *, extra_settings: Mapping[str, str] | None = None) -> Postgres:
        """As Provider.postgres."""
        return Postgres(folder, free_port(), extra_settings=extra_settings, dies_with_parent=True)

    def kafka(self, folder: Path) -> Kafka:
        """As Provider.kafka."""
        return Kafka(folder, dies_with_parent=True)

    def valkey(self, folder: Path) -> Valkey:
        """As Provider.valkey."""
        return Valkey(folder, free_port(), secrets.token_urlsafe(16), dies_with_parent=True)

    def discard(self, servers: Sequence[RunningServer]) -> None:
        """Kill them; the folders are their owner's."""
        for server in servers:
            server.kill()


def provider_named(name: str) -> Provider:
    """The provider of one of PROVIDERS."""
    if name == "native":
        return NativeServers()
    from tests.containers.servers import ContainerServers  # noqa: PLC0415 - brings an engine's client

    return ContainerServers()
