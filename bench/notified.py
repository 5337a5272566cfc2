"""The notification service on the stand: its own database, real processes, a Bot API that limits as the real one."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import asyncpg
import httpx

from bench.stand import Stand, loopback
from stack.databases import create_database, dsn_of, owner_of
from stack.ports import free_port
from stack.servers import Valkey

_ROOT = Path(__file__).parent.parent
_TOKEN = "1000000001:for-the-bench-only"  # noqa: S105 - the stand-in's, on loopback
_PASSWORD = "bench"  # noqa: S105 - of a server that lives as long as the run
_START_SECONDS_MAX = 60.0
_LOOK_SECONDS = 0.05


class NotReady(Exception):
    """A process did not come up."""


class Process:
    """`python -m <argv>` of ours, started; killed when its block ends."""

    def __init__(self, log: Path, argv: Sequence[str], **environment: str) -> None:
        with log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own argv
                [sys.executable, "-m", *argv],
                cwd=_ROOT,
                env={"PATH": os.environ["PATH"], **environment},
                stdout=output,
                stderr=output,
                start_new_session=True,  # as bench.program: each process stands for a service
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """Wait until it has ended by itself; NotReady unless all was well."""
        if self._process.wait(_START_SECONDS_MAX) != 0:
            raise NotReady(f"{self._process.args!r} ended with {self._process.returncode}")


@dataclass(frozen=True, slots=True)
class Notified:
    """A migrated database, a Valkey and a Bot API; processes are started over them."""

    stand: Stand
    name: str
    valkey: str
    telegram: str

    @property
    def dsn(self) -> str:
        """The application role's address."""
        return self.stand.postgres.dsn(self.name, self.name, _PASSWORD)

    @property
    def admin_dsn(self) -> str:
        """A superuser's address."""
        return dsn_of(self.stand.postgres.admin_dsn, self.name)

    def sql(self, query: str, *args: Any) -> list[Any]:
        """The rows of one statement."""

        async def ask() -> list[Any]:
            connection = await asyncpg.connect(self.admin_dsn)
            try:
                return list(await connection.fetch(query, *args))
            finally:
                await connection.close()

        return asyncio.run(ask())

    def process(self, command: str, **settings: str) -> Process:
        """One process of the service, with its defaults unless told otherwise."""
        health = loopback(free_port())
        environment = {
            "NOTIFICATION_DATABASE_URL": self.dsn,
            "NOTIFICATION_OWNER_URL": self.stand.postgres.dsn(self.name, owner_of(self.name), _PASSWORD),
            "NOTIFICATION_KAFKA_BOOTSTRAP": self.stand.kafka.bootstrap,
            "NOTIFICATION_TELEGRAM_TOKEN": _TOKEN,
            "NOTIFICATION_TELEGRAM_URL": self.telegram,
            "NOTIFICATION_LIMITS_URL": self.valkey,
            "NOTIFICATION_HEALTH_ADDRESS": health,
            "LOG_LEVEL": "WARNING",
            **settings,
        }
        made = Process(self.stand.folder / f"{command}.log", ("services.notification", command), **environment)
        if command != "migrate":
            wait_until_ready(health)
        return made

    def calls(self, since: int = 0) -> list[dict[str, Any]]:
        """Every call of the Bot API after that number, refused or not."""
        calls: list[dict[str, Any]] = httpx.get(f"{self.telegram}/_/calls", params={"since": since}).json()
        return calls


@contextmanager
def notified(stand: Stand) -> Iterator[Notified]:
    """All of it, gone when the block ends."""
    name, address = f"notification_{stand.numbers(1)}", loopback(free_port())
    passwords = {"owner_password": _PASSWORD, "app_password": _PASSWORD, "verifier_password": _PASSWORD}
    asyncio.run(create_database(stand.postgres.admin_dsn, name, **passwords))
    with ExitStack() as open_things:
        valkey = Valkey(stand.folder / name, free_port(), _PASSWORD, dies_with_parent=True)
        open_things.enter_context(valkey)
        telegram = ("stack.telegram", "--address", address, "--folder", str(stand.folder / name), "--limits")
        open_things.enter_context(Process(stand.folder / "telegram.log", telegram))
        made = Notified(stand, name, valkey.url, f"http://{address}")
        wait_until_ready(address)
        made.process("migrate").end()
        yield made


def wait_until_ready(address: str) -> None:
    """Block until `/readyz` says so; NotReady when it takes too long."""
    deadline = time.monotonic() + _START_SECONDS_MAX
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"http://{address}/readyz").is_success:
                return
        time.sleep(_LOOK_SECONDS)
    raise NotReady(f"{address} did not answer in {_START_SECONDS_MAX:.0f} s")
