"""One turn: one contestant, one rate, some seconds; every event followed from its commit to its arrival."""

import os
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.contestants.contestant import Contestant
from bench.events import ORDERS, Sightings
from bench.program import Program
from bench.ratios import quantile
from bench.stand import Stand
from bench.usage import Usage, usage

_FIRST_EVENT_SECONDS_MAX = 90.0
_ARRIVAL_SECONDS_MAX = 20.0
_MS = 1e6


@dataclass(frozen=True, slots=True)
class Observed:
    """What a turn left behind: moments by event number, and what was used before, at the looks, and at the end."""

    commits: dict[int, int]
    arrivals: list[tuple[int, int]]
    acks: list[tuple[int, int]]
    before: Usage
    between: Sequence[Usage]
    after: Usage
    counted_seconds: float
    late_p99_ms: float


def observe(
    stand: Stand,
    contestant: Contestant,
    *,
    rate: int,
    seconds: float,
    warm_seconds: float,
    looks: Sequence[float] = (),
) -> Observed:
    """Run a turn. The contestant is warmed with one event per writer, then at the rate; then it counts.

    Its usage is looked at before and after, and so many seconds into the counted time.
    """
    probes, count = stand.settings.writers, int(rate * (seconds + warm_seconds))
    first = stand.numbers(probes + count)
    files = stand.folder / uuid.uuid4().hex[:8]
    with (
        Program("consumer", stand.folder, **_consuming(stand, contestant, probes + count, files)) as consumer,
        Program(
            "load",
            stand.folder,
            dsn=stand.dsn,
            statement=contestant.outbox,
            topic=contestant.topic,
            first=first,
            probes=probes,
            rate=rate,
            seconds=seconds + warm_seconds,
            writers=stand.settings.writers,
            wake=contestant.wakes,
            out=f"{files}.commits",
        ) as load,
    ):
        contestant.prepare(noting=True)
        consumer.expect("ready")
        load.expect("ready")
        contestant.begin()
        load.tell("probe")
        load.expect("probed")
        consumer.expect("first", within=_FIRST_EVENT_SECONDS_MAX)
        load.tell("go")
        time.sleep(warm_seconds)
        began, before = time.monotonic(), usage(stand, contestant)
        between = [_used_at(began + each, stand, contestant) for each in looks]
        written = load.expect("written", within=seconds + 60.0)
        after, counted = usage(stand, contestant), time.monotonic() - began
        consumer.hear("done", within=_ARRIVAL_SECONDS_MAX if contestant.name != "floor" else 0.5)
        consumer.end()
        load.end()
    acks = contestant.pause()
    return Observed(
        commits={n: at for n, at in _taken(f"{files}.commits") if n >= first + probes + rate * warm_seconds},
        arrivals=_taken(f"{files}.arrivals"),
        acks=_taken(acks) if acks else [],
        before=before,
        between=between,
        after=after,
        counted_seconds=counted,
        late_p99_ms=written["late_p99_ms"],
    )


def summary(observed: Observed) -> dict[str, Any]:
    """The figures of a turn, in milliseconds, cores and mebibytes."""
    received = waits(observed.commits, observed.arrivals)
    acknowledged = waits(observed.commits, observed.acks)
    before, after, seconds = observed.before, observed.after, observed.counted_seconds
    return {
        "p50_ms": quantile(received, 0.5),
        "p95_ms": quantile(received, 0.95),
        "p99_ms": quantile(received, 0.99),
        "ack_p50_ms": quantile(acknowledged, 0.5),
        "ack_p99_ms": quantile(acknowledged, 0.99),
        **faults(set(observed.commits), [number for number, _ in observed.arrivals]),
        "cores": (after.cpu_seconds - before.cpu_seconds) / seconds,
        "session_cores": (after.session_cpu_seconds - before.session_cpu_seconds) / seconds,
        "pss_mib": after.pss_mib,
        "rss_mib": after.rss_mib,
        "late_p99_ms": observed.late_p99_ms,
        "load1": os.getloadavg()[0],
    }


def _used_at(moment: float, stand: Stand, contestant: Contestant) -> Usage:
    time.sleep(max(0.0, moment - time.monotonic()))
    return usage(stand, contestant)


def waits(commits: dict[int, int], sightings: list[tuple[int, int]]) -> list[float]:
    """From commit to first sighting, ordered, in milliseconds."""
    seen: dict[int, int] = {}
    for number, at in sightings:
        seen.setdefault(number, at)
    return sorted((seen[number] - at) / _MS for number, at in commits.items() if number in seen)


def faults(committed: set[int], arrived: list[int]) -> dict[str, int]:
    """What was lost, what came twice, and what came for the first time after a later event of its order."""
    seen: set[int] = set()
    latest: dict[int, int] = {}
    disordered = 0
    for number in arrived:
        if number in seen:
            continue
        seen.add(number)
        order = number % ORDERS
        disordered += latest.get(order, -1) > number
        latest[order] = max(number, latest.get(order, -1))
    return {"lost": len(committed - seen), "doubled": len(arrived) - len(seen), "disordered": disordered}


def _consuming(stand: Stand, contestant: Contestant, want: int, files: Path) -> dict[str, Any]:
    return {
        "bootstrap": stand.kafka.bootstrap,
        "topic": contestant.topic,
        "starts": stand.ends(contestant.topic),
        "want": want,
        "out": f"{files}.arrivals",
    }


def _taken(path: str | Path) -> list[tuple[int, int]]:
    """What a program wrote down; the file is not needed any more."""
    taken = Sightings.load(Path(path)).pairs()
    Path(path).unlink()
    return taken
