"""The servers of the tests in containers: the surface of stack.servers, behind it testcontainers.

The images are those of docker-compose.yml, so the same variables choose others (ONELANE_POSTGRES_IMAGE …). A server
answers on one port of loopback for its whole life; its data live in the container, and survive all but `discard`.
"""

import abc
import base64
import os
import secrets
import socket
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from docker.errors import APIError  # type: ignore[import-untyped]
from testcontainers.core.container import DockerContainer

from stack.errors import ServerFailed
from stack.ports import LOOPBACK, free_port
from stack.servers import Server
from stack.servers.kafka_metadata import brokers_known_to
from tests.containers import compose
from tests.server_providers import RunningServer

_START_SECONDS_MAX = 90.0
_STOP_SECONDS_MAX = 20
_PAUSE_SECONDS = 0.05
_LAST_LINES = 20
_KAFKA_FILES = Path("/etc/onelane")


class ContainerServer(Server):
    """One container with one published port; a subclass says what runs in it and when it answers."""

    def __init__(self, name: str, port: int, *, inside: int) -> None:
        self.name = name
        self.port = port
        self._image = image_of(name)
        self._container = DockerContainer(self._image)
        self._container.ports[f"{inside}/tcp"] = (LOOPBACK, port)  # type: ignore[assignment] # what docker takes
        self._made = False

    @property
    def version(self) -> str:
        """The tag of the image."""
        return self._image.rpartition(":")[2]

    @property
    def pid(self) -> int | None:
        """The process id the engine's machine knows it by."""
        return int(self._state()["Pid"]) or None

    def start(self) -> None:
        """As Server.start."""
        if self._state()["Running"]:
            return
        try:
            if self._made:
                self._container.get_wrapped_container().start()
            else:
                self._made = True
                self._container.start()
            self._await_ready()
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """As Server.stop."""
        self.thaw()
        if self._state()["Running"]:
            self._container.get_wrapped_container().stop(timeout=_STOP_SECONDS_MAX)

    def kill(self) -> None:
        """As Server.kill."""
        self.thaw()
        if self._state()["Running"]:
            container = self._container.get_wrapped_container()
            container.kill()
            container.wait()

    def freeze(self) -> None:
        """As Server.freeze."""
        if self._state()["Running"] and not self._state()["Paused"]:
            self._container.get_wrapped_container().pause()

    def thaw(self) -> None:
        """As Server.thaw."""
        if self._state()["Paused"]:
            self._container.get_wrapped_container().unpause()

    def discard(self) -> None:
        """Remove the container with its data."""
        self._container.stop()

    @abc.abstractmethod
    def _answers(self) -> bool:
        """Whether it answers a question only a ready one answers."""

    def _await_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS_MAX
        while not self._answers():
            if not self._state()["Running"]:
                raise self._failed("ended before it was ready")
            if time.monotonic() > deadline:
                raise self._failed(f"was not ready after {_START_SECONDS_MAX:.0f} s")
            time.sleep(_PAUSE_SECONDS)

    def _failed(self, reason: str) -> ServerFailed:
        said = self._container.get_wrapped_container().logs(tail=_LAST_LINES).decode(errors="replace")
        return ServerFailed(self.name, reason, log=Path(self._image), last_lines=said)

    def _state(self) -> Mapping[str, Any]:
        if not self._made or self._container._container is None:  # its own accessor raises
            return {"Running": False, "Paused": False, "Pid": 0}
        container = self._container.get_wrapped_container()
        container.reload()
        return dict(container.attrs["State"])


class ContainerPostgres(ContainerServer):
    """PostgreSQL with a password, as its image starts it; `extra_settings` are laid over."""

    def __init__(self, port: int, *, extra_settings: Mapping[str, str] | None = None) -> None:
        super().__init__("postgres", port, inside=5432)
        self._password = secrets.token_urlsafe(24)
        settings = {"max_connections": "200", "max_prepared_transactions": "16", **(extra_settings or {})}
        self._container.with_kwargs(user="postgres")
        self._container.with_env("POSTGRES_PASSWORD", self._password)
        self._container.with_env("POSTGRES_INITDB_ARGS", "--auth=scram-sha-256 --data-checksums --locale=C.UTF-8")
        self._container.with_command(["postgres", *(f"-c{name}={value}" for name, value in settings.items())])

    @property
    def admin_dsn(self) -> str:
        """The superuser's address of the database `postgres`."""
        return f"postgresql://postgres:{self._password}@{LOOPBACK}:{self.port}/postgres"

    def _answers(self) -> bool:
        """Over TCP: while the data is made, a server answers on its socket alone."""
        try:
            return self._container.exec(["pg_isready", "--quiet", "--host=127.0.0.1"]).exit_code == 0
        except APIError:  # it ended meanwhile: who waits sees that
            return False


class ContainerValkey(ContainerServer):
    """Valkey with a password and an append-only file."""

    def __init__(self, port: int, password: str) -> None:
        super().__init__("valkey-limits", port, inside=6379)
        self._password = password
        self._container.with_command(["valkey-server", "--requirepass", password, "--appendonly", "yes", "--save", ""])

    @property
    def url(self) -> str:
        """The address with the password."""
        return f"redis://:{self._password}@{LOOPBACK}:{self.port}/0"

    def _answers(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1.0) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                with connection.makefile("rb") as answers:
                    return answers.readline() == b"+OK\r\n" and answers.readline() == b"+PONG\r\n"
        except OSError:
            return False


class ContainerKafka(ContainerServer):
    """A cluster of one broker, started by the script the containers of the platform start theirs with.

    It listens inside on the port it is published on, so that the address it names is right on both sides.
    """

    def __init__(self, port: int) -> None:
        super().__init__("kafka-1", port, inside=port)
        told = {
            "KAFKA_NODE_ID": "1",
            "KAFKA_HOST": LOOPBACK,
            "KAFKA_PORT": str(port),
            "KAFKA_VOTERS": f"1@{LOOPBACK}:9093",
            "KAFKA_REPLICAS": "1",
            "KAFKA_IN_SYNC_MIN": "1",
            "KAFKA_CLUSTER_ID": base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "_"),
            "KAFKA_HEAP": "256m",
        }
        self._container.with_envs(**told)
        self._container.with_command(["bash", str(_KAFKA_FILES / "start.sh")])
        for name in ("start.sh", "server.properties", "log4j2.xml"):
            self._container.with_copy_into_container(compose.ROOT / "deploy" / "kafka" / name, str(_KAFKA_FILES / name))

    @property
    def bootstrap(self) -> str:
        """Where clients begin."""
        return f"{LOOPBACK}:{self.port}"

    def _answers(self) -> bool:
        return brokers_known_to(self.port) == {1}


class ContainerServers:
    """Makes servers in containers, none started."""

    def postgres(self, folder: Path, *, extra_settings: Mapping[str, str] | None = None) -> ContainerPostgres:
        """PostgreSQL; `folder` is not needed."""
        del folder
        return ContainerPostgres(free_port(), extra_settings=extra_settings)

    def kafka(self, folder: Path) -> ContainerKafka:
        """A broker."""
        del folder
        return ContainerKafka(free_port())

    def valkey(self, folder: Path) -> ContainerValkey:
        """Valkey."""
        del folder
        return ContainerValkey(free_port(), secrets.token_urlsafe(16))

    def discard(self, servers: Sequence[RunningServer]) -> None:
        """Remove what was made here."""
        for server in servers:
            if isinstance(server, ContainerServer):
                server.discard()


def image_of(service: str) -> str:
    """The image docker-compose.yml gives a service in this environment."""
    chosen = {**compose.example(), **{name: value for name, value in os.environ.items() if name.startswith("ONELANE_")}}
    return str(compose.filled(chosen)["services"][service]["image"])
