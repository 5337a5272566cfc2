"""A pgbouncer of our own: transaction pooling before one database, for the roles it is given and for nobody else.

The program is the system's (no package index has it), so its version is whatever the system brings: from 1.21 on it
carries prepared statements, and is told to.
"""

import re
import shutil
import signal
import socket
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import ClassVar

from stack.errors import ToolMissing
from stack.ports import LOOPBACK
from stack.servers.child import ENVIRONMENT
from stack.servers.ordinary_user import ordinary_user
from stack.servers.server import SingleServer

TEMPLATE = Path(__file__).resolve().parents[2] / "deploy" / "pgbouncer" / "pgbouncer.ini"
PREPARED_SINCE = (1, 21)
PREPARED_STATEMENTS_MAX = 200
_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/opt/homebrew/bin")
"""Where systems put it; Debian's /usr/sbin is on nobody's PATH but root's."""

_STOP_SECONDS_MAX = 10.0
_SSL_REQUEST = struct.pack("!ii", 8, 80_877_103)


class Pgbouncer(SingleServer):
    """One pooler on `port` of loopback, before `database` of the server `upstream` ("address:port").

    `passwords` are those of the roles that may pass, by role. At most `pool_size` connections are held to the server.
    `extra_settings` are laid over the template's. Other options: SingleServer's.
    """

    stop_signal: ClassVar[signal.Signals] = (
        signal.SIGINT
    )  # running transactions end; SIGTERM means each version another

    def __init__(
        self,
        folder: Path,
        port: int,
        *,
        upstream: str,
        database: str,
        passwords: Mapping[str, str],
        pool_size: int = 16,
        clients_max: int = 1_000,
        extra_settings: Mapping[str, str] | None = None,
        name: str = "pgbouncer",
        log: Path | None = None,
        port_setting: str | None = None,
        dies_with_parent: bool = False,
    ) -> None:
        super().__init__(
            folder,
            port,
            name=name,
            log=log,
            port_setting=port_setting,
            dies_with_parent=dies_with_parent,
            stop_seconds_max=_STOP_SECONDS_MAX,
        )
        self._passwords = dict(passwords)
        self._extra_settings = dict(extra_settings or {})
        self._names = {
            "database": database,
            "upstream_host": upstream.rpartition(":")[0],
            "upstream_port": upstream.rpartition(":")[2],
            "listen_host": LOOPBACK,
            "listen_port": port,
            "pool_size": pool_size,
            "clients_max": clients_max,
        }

    @property
    def version(self) -> str:
        """The version of the system's program. Raises ToolMissing."""
        return ".".join(map(str, pgbouncer_version(pgbouncer_binary())))

    def _spawn(self) -> None:
        program = pgbouncer_binary()
        users = self._written("users.txt", "".join(map(_user_line, self._passwords.items())))
        template = Template(TEMPLATE.read_text(encoding="utf-8"))
        extra = {**_about_prepared_statements(program), **self._extra_settings}
        lines = "\n".join(f"{name} = {value}" for name, value in extra.items())
        settings = template.substitute(self._names, users=users, extra=lines)
        configuration = self._written("pgbouncer.ini", settings)
        self._child.spawn([program, configuration], become=ordinary_user().prefix)

    def _answers(self) -> bool:
        """Any answer to a question about encryption is one of a pooler that listens; the database may not be there."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1.0) as connection:
                connection.sendall(_SSL_REQUEST)
                return connection.recv(1) in {b"N", b"S"}
        except OSError:
            return False

    def _written(self, name: str, text: str) -> Path:
        """Write a file that only the user the program runs as may read."""
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
        ordinary_user().own(path)
        return path


def pgbouncer_binary() -> Path:
    """The system's program; else ToolMissing."""
    found = shutil.which("pgbouncer") or shutil.which("pgbouncer", path=":".join(_PATH))
    if found is None:
        raise ToolMissing("pgbouncer is not installed", cure="install the system's package: apt-get install pgbouncer")
    return Path(found)


def pgbouncer_version(program: Path) -> tuple[int, ...]:
    """The version a program of pgbouncer says it has, as in (1, 18, 0)."""
    said = subprocess.run([program, "--version"], check=False, capture_output=True, text=True, env=dict(ENVIRONMENT))  # noqa: S603 - our own argv
    found = re.search(r"pgbouncer\D*(\d+(?:\.\d+)+)", said.stdout, re.IGNORECASE)
    if found is None:
        raise ToolMissing(f"{program} does not say its version", cure="install the system's package pgbouncer anew")
    return tuple(map(int, found.group(1).split(".")))


def carries_prepared_statements(program: Path) -> bool:
    """Whether a client's prepared statements can follow it from one connection of the server to the next."""
    return pgbouncer_version(program) >= PREPARED_SINCE


def _about_prepared_statements(program: Path) -> dict[str, str]:
    """Older versions do not know the setting, and refuse to start with it."""
    if carries_prepared_statements(program):
        return {"max_prepared_statements": str(PREPARED_STATEMENTS_MAX)}
    return {}


def _user_line(user: tuple[str, str]) -> str:
    quoted = ['"{}"'.format(each.replace('"', '""')) for each in user]
    return " ".join(quoted) + "\n"
