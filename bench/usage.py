"""What a contestant uses: processor time of its processes and of its database sessions, memory of its processes."""

from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from bench.contestants.contestant import Contestant
from bench.stand import Stand

_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Usage:
    """Seconds of processor time so far, and mebibytes now."""

    cpu_seconds: float
    session_cpu_seconds: float
    pss_mib: float
    rss_mib: float


def usage(stand: Stand, contestant: Contestant) -> Usage:
    """Look at a contestant. Pages shared with others count in parts (PSS) where the system tells."""
    own = _processes(contestant.pids)
    sessions = stand.sql(f"select pid from pg_stat_activity where {contestant.sessions}")
    memory = [process.memory_full_info() for process in own]
    return Usage(
        cpu_seconds=sum(map(_cpu_seconds, own)),
        session_cpu_seconds=sum(map(_cpu_seconds, _processes([row["pid"] for row in sessions]))),
        pss_mib=sum(getattr(each, "pss", each.rss) for each in memory) / _MIB,
        rss_mib=sum(each.rss for each in memory) / _MIB,
    )


def _processes(pids: Sequence[int]) -> list[psutil.Process]:
    return [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]


def _cpu_seconds(process: psutil.Process) -> float:
    spent = process.cpu_times()
    return float(spent.user + spent.system)
