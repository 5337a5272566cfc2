"""What must be true of a machine before a stack can stand on it, each with its cure when it is not."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from stack.errors import StackError
from stack.external import External
from stack.java import java
from stack.kafka_jars import locked_jars, maven_cache
from stack.servers.envoy import envoy_binary
from stack.servers.ordinary_user import ordinary_user
from stack.servers.pgbouncer import pgbouncer_binary
from stack.servers.postgres_files import binaries
from stack.servers.valkey import valkey_binary

PYTHON_MIN = (3, 11)
DISK_GIB_MIN = 2.0
MEMORY_GIB_MIN = 1.8
_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: what was found, and what to do if it is not ok."""

    name: str
    ok: bool
    detail: str
    cure: str = ""


def preconditions(folder: Path, *, pooler: bool = False, external: External | None = None) -> list[Finding]:
    """Look at this machine, for a stack whose data lies in `folder`; starts nothing and changes nothing.

    Programs of servers that others run are not looked for.
    """
    findings = [
        python_version((sys.version_info.major, sys.version_info.minor)),
        disk_space(_free_bytes(folder)),
        memory(psutil.virtual_memory().available),
        _found("user", _user),
    ]
    if not external:
        findings += [
            _found("java", lambda: f"{java().major} in {java().path}"),
            _found("postgres", lambda: str(binaries())),
            _found("valkey", lambda: str(valkey_binary())),
            jars(maven_cache()),
        ]
    if not (external and external.loms_http_url):
        findings.append(_found("envoy", lambda: str(envoy_binary())))
    if pooler:
        findings.append(_found("pgbouncer", lambda: str(pgbouncer_binary())))
    return findings


def python_version(found: tuple[int, int]) -> Finding:
    """Whether this Python is new enough."""
    wanted = ".".join(map(str, PYTHON_MIN))
    cure = f"install Python {wanted} or newer: make PYTHON=/path/to/python{wanted} setup"
    return Finding("python", found >= PYTHON_MIN, ".".join(map(str, found)), cure)


def disk_space(free_bytes: int) -> Finding:
    """Whether there is room for jars, data and logs."""
    free = free_bytes / _GIB
    cure = f"free {DISK_GIB_MIN:.0f} GiB, or put ONELANE_HOME on another disk"
    return Finding("disk", free >= DISK_GIB_MIN, f"{free:.1f} GiB free", cure)


def memory(available_bytes: int) -> Finding:
    """Whether the stack fits beside what runs."""
    available = available_bytes / _GIB
    cure = f"stop some programs: the stack needs {MEMORY_GIB_MIN} GiB"
    return Finding("memory", available >= MEMORY_GIB_MIN, f"{available:.1f} GiB available", cure)


def jars(cache: Path) -> Finding:
    """How many of the broker's jars are on this machine; the first start fetches missing ones."""
    locked = locked_jars()
    have = sum((cache / jar.place).is_file() for jar in locked)
    rest = "" if have == len(locked) else ": the first start fetches the others"
    return Finding("jars", ok=True, detail=f"{have} of {len(locked)} in {cache}{rest}")


def _found(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, ok=True, detail=look())
    except StackError as missing:
        return Finding(name, ok=False, detail=missing.fact, cure=missing.cure)


def _user() -> str:
    uid = ordinary_user().uid
    return "an ordinary one" if uid is None else f"root; servers that refuse it run as uid {uid}"


def _free_bytes(folder: Path) -> int:
    """Of the file system the folder is on, or will be."""
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    return shutil.disk_usage(there).free
