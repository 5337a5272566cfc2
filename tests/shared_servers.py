"""The servers all tests share: started once, when first asked for, by the process that owns the test session.

Under xdist the controller owns them, and workers ask it through a socket; a run that needs no server starts none.
Their data lies in a temporary folder that goes with the session; the folders of killed sessions go with the next one.
"""

import contextlib
import os
import shutil
import tempfile
import threading
from dataclasses import dataclass
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path

import psutil

from stack.ports import LOOPBACK
from tests.server_providers import NativeServers, Provider, RunningServer

_FOLDER_PREFIX = "onelane-tests-"
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class SharedServers:
    """Starts each server when it is first asked for, and ends all at `close`. They come from `provider`."""

    def __init__(self, provider: Provider | None = None) -> None:
        self._provider = provider or NativeServers()
        self._folder: Path | None = None
        self._addresses: dict[str, str] = {}
        self._started: list[RunningServer] = []
        self._starters = {"postgres": self._postgres, "kafka": self._kafka, "valkey": self._valkey}
        self._one_at_a_time = threading.Lock()

    def address(self, server: str) -> str:
        """The address of `postgres` (a superuser's), `kafka` (bootstrap) or `valkey` (with its password)."""
        with self._one_at_a_time:
            if server not in self._addresses:
                self._folder = self._folder or servers_folder()
                self._addresses[server] = self._starters[server](self._folder / server)
            return self._addresses[server]

    def close(self) -> None:
        """End every server and remove their data; nothing in it is worth a graceful stop."""
        self._provider.discard(self._started[::-1])
        self._started.clear()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _postgres(self, folder: Path) -> str:
        server = self._provider.postgres(folder, extra_settings=_NOT_DURABLE)
        self._start(server)
        return server.admin_dsn

    def _kafka(self, folder: Path) -> str:
        server = self._provider.kafka(folder)
        self._start(server)
        return server.bootstrap

    def _valkey(self, folder: Path) -> str:
        server = self._provider.valkey(folder)
        self._start(server)
        return server.url

    def _start(self, server: RunningServer) -> None:
        self._started.append(server)
        server.start()


class Desk:
    """The controller's side: answers workers, one thread for the whole session (servers live as long as it does)."""

    def __init__(self, servers: SharedServers) -> None:
        self._servers = servers
        self._key = os.urandom(16)
        self._listener = Listener((LOOPBACK, 0), backlog=64, authkey=self._key)
        self._thread = threading.Thread(target=self._serve, name="shared-servers", daemon=True)
        self._thread.start()

    @property
    def invitation(self) -> dict[str, object]:
        """What a worker needs to ask."""
        return {"address": self._listener.address, "key": self._key.hex()}

    def close(self) -> None:
        """Stop answering; blocks while a server is being started."""
        with contextlib.suppress(OSError), Client(self._listener.address, authkey=self._key) as last:
            last.send(None)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        asked = True
        while asked:
            with contextlib.suppress(OSError, EOFError, AuthenticationError), self._listener.accept() as worker:
                asked = self._answer(worker)

    def _answer(self, worker: Connection) -> bool:
        server = worker.recv()
        if server is None:
            return False
        try:
            worker.send((self._servers.address(server), None))
        except Exception as failure:  # noqa: BLE001 - the worker reports it as its own
            worker.send((None, str(failure)))
        return True


@dataclass(frozen=True, slots=True)
class AtTheDesk:
    """A worker's side: the same question, asked of the controller."""

    host: tuple[str, int]
    key: bytes

    def address(self, server: str) -> str:
        """As SharedServers.address."""
        with Client(self.host, authkey=self.key) as desk:
            desk.send(server)
            address, failure = desk.recv()
        if failure is not None:
            raise RuntimeError(failure)
        return str(address)


def servers_folder() -> Path:
    """A fresh folder that names its owner; those of dead owners are removed first."""
    for left in Path(tempfile.gettempdir()).glob(f"{_FOLDER_PREFIX}*"):
        owner = left.name.removeprefix(_FOLDER_PREFIX).split("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{_FOLDER_PREFIX}{os.getpid()}-"))
    folder.chmod(0o755)  # the servers' ordinary user must be able to enter
    return folder
