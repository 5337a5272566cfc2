"""A real pgbouncer before a test's database."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import pytest

from stack.errors import ToolMissing
from stack.ports import LOOPBACK, free_port
from stack.servers import Pgbouncer
from stack.servers.pgbouncer import pgbouncer_binary
from tests.shared_servers import servers_folder


@dataclass(frozen=True, slots=True)
class Pooler:
    """A running pooler."""

    server: Pgbouncer

    def through(self, dsn: str) -> str:
        """The same database and role, by way of the pooler."""
        at = urlsplit(dsn)
        return urlunsplit(at._replace(netloc=f"{at.username}:{at.password}@{LOOPBACK}:{self.server.port}"))


@contextmanager
def pooler_before(*dsns: str, **options: Any) -> Iterator[Pooler]:
    """Start a pooler before the one database these addresses of several roles lead to; `options` are the server's."""
    require_pgbouncer()
    roles = [urlsplit(dsn) for dsn in dsns]
    folder = servers_folder()
    server = Pgbouncer(
        folder,
        free_port(),
        upstream=f"{roles[0].hostname}:{roles[0].port}",
        database=roles[0].path.lstrip("/"),
        passwords={str(role.username): unquote(str(role.password)) for role in roles},
        dies_with_parent=True,
        **options,
    )
    try:
        server.start()
        yield Pooler(server)
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


def require_pgbouncer() -> None:
    """Skip the test, with the cure, where the system has no pgbouncer; the gate installs it, so there it fails."""
    try:
        pgbouncer_binary()
    except ToolMissing as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing).replace("\n", ", "))
