"""Ports on loopback: finding free ones, and naming who holds a taken one.

Free ports are taken below the range the kernel hands to outgoing connections, so that a server killed and started
again finds its port still free. Whoever drew one keeps it for as long as it lives, listening or not: programs started
side by side never draw the same.
"""

import fcntl
import os
import secrets
import socket
import tempfile
from functools import cache
from pathlib import Path

import psutil

from stack.errors import PortInUse, StackError

LOOPBACK = "127.0.0.1"
_FIRST, _LAST = 20_000, 32_000
_ATTEMPTS_MAX = 500
_drawn: set[int] = set()


def is_free(port: int) -> bool:
    """Whether nobody listens on `port` of loopback; connections still closing do not count."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port nobody listens on and nobody else has drawn."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """As many different free ports."""
    chosen: dict[int, None] = {}
    for _ in range(_ATTEMPTS_MAX):
        if len(chosen) == count:
            return list(chosen)
        port = _FIRST + secrets.randbelow(_LAST - _FIRST)
        if is_free(port) and _draw(port):
            chosen[port] = None
    raise StackError(f"found no {count} free ports between {_FIRST} and {_LAST}", cure="stop some servers")


def _draw(port: int) -> bool:
    """Keep the port from all draws for as long as we live; False if somebody has it, ourselves included."""
    if port in _drawn:
        return False
    try:
        fcntl.lockf(_claims(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except (BlockingIOError, PermissionError):
        return False
    _drawn.add(port)
    return True


@cache
def _claims() -> int:
    """A file with a byte for every port: who locks the byte has drawn it, and the kernel unlocks it with its holder."""
    path = Path(tempfile.gettempdir()) / f"onelane-ports-{os.getuid()}"
    return os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)


def require_free(port: int, setting: str) -> None:
    """Pass if `port` is free, else raise PortInUse naming the port, the setting that changes it and who holds it."""
    if not is_free(port):
        raise PortInUse(port, setting=setting, holder=_holder(port))


def _holder(port: int) -> str | None:
    """The listening program as `name (pid n)`, or None where the system does not tell."""
    try:
        for connection in psutil.net_connections(kind="tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
            if listens and connection.pid is not None:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except (psutil.Error, OSError):
        return None
    return None
