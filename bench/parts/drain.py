"""A backlog that waited: how fast it goes, first record to last, and from the word to go."""

import os
import uuid
from typing import Any

from bench.contestants.bare_producer import BareProducer
from bench.contestants.contestant import Contestant
from bench.contestants.roster import Roster
from bench.events import HEADERS, Sightings
from bench.findings import Findings, wrongs
from bench.program import Program
from bench.ratios import ratio
from bench.settings import DRAINED, in_turn
from bench.stand import Stand
from bench.turn import faults
from bench.usage import usage
from bench.watching import Growth, watching

_COMPILED = ("tuned", "default")
"""A fresh JVM's first drain is up to twice as slow as its later ones: theirs does not count."""

_DRAIN_SECONDS_MAX = 600.0
_CONSUME_SECONDS_MAX = 300.0


def drain(stand: Stand, roster: Roster) -> Findings:
    """Every contestant in turn drains its own backlog, round after round; then the log is read and checked."""
    found = Findings("drain")
    for name in _COMPILED:
        if name in stand.settings.contestants:
            _backlog(stand, roster[name], stand.numbers(stand.settings.rows), stand.settings.rows)
    for round_number in range(1, stand.settings.repeat + 1):
        for name in in_turn(DRAINED, round_number):
            if name in stand.settings.contestants:
                row = _drained(stand, roster, name, round_number)
                found.say(row)
                if name == "ours":
                    found.wrong += wrongs(row)
    mine = found.column("per_second", contestant="ours")
    for other, closing in (("tuned", "debezium"), ("producer", "producer"), ("classic", "classic")):
        found.ratios += ratio(f"drain-{closing}", mine, found.column("per_second", contestant=other))
    return found


def _drained(stand: Stand, roster: Roster, name: str, round_number: int) -> dict[str, Any]:
    rows = stand.settings.rows
    first = stand.numbers(rows)
    contestant = BareProducer(stand, first=first, rows=rows) if name == "producer" else roster[name]
    growth, cpu_seconds, arrived = _backlog(stand, contestant, first, rows)
    return {
        "contestant": name,
        "round": round_number,
        "rows": rows,
        "per_second": rows / growth.span_seconds,
        "per_second_from_go": rows / growth.last_seconds,
        "go_to_first_seconds": growth.first_seconds,
        "cpu_us_per_row": cpu_seconds / rows * 1e6,
        **faults(set(range(first, first + rows)), arrived),
        "load1": os.getloadavg()[0],
    }


def _backlog(stand: Stand, contestant: Contestant, first: int, rows: int) -> tuple[Growth, float, list[int]]:
    """How the topic grew, what the contestant's processes and sessions spent on it, what lies in the topic now."""
    contestant.prepare(noting=False)
    if contestant.outbox:
        _fill(stand, contestant, first, rows)
    with watching(stand.kafka.bootstrap, contestant.topic, stand.settings.partitions) as watch:
        before = usage(stand, contestant)
        contestant.begin()
        growth = watch.follow(rows, seconds_max=_DRAIN_SECONDS_MAX)
        after = usage(stand, contestant)
    contestant.pause()
    spent = after.cpu_seconds - before.cpu_seconds + after.session_cpu_seconds - before.session_cpu_seconds
    return growth, spent, _arrived(stand, contestant.topic, watch.starts, rows)


def _fill(stand: Stand, contestant: Contestant, first: int, rows: int) -> None:
    """Write the backlog; a checkpoint afterwards, so that nobody drains against the writing of pages."""
    stand.script(
        "set synchronous_commit = off",
        f"call fill_{contestant.outbox}({first}, {rows}, '{contestant.topic}', '{HEADERS}')",
        "checkpoint",
    )


def _arrived(stand: Stand, topic: str, starts: dict[int, int], rows: int) -> list[int]:
    """The numbers in the log since the start, in its order per partition."""
    out = stand.folder / f"{uuid.uuid4().hex[:8]}.arrivals"
    with Program(
        "consumer",
        stand.folder,
        bootstrap=stand.kafka.bootstrap,
        topic=topic,
        starts=starts,
        want=rows,
        out=str(out),
    ) as consumer:
        consumer.expect("ready")
        consumer.hear("done", within=_CONSUME_SECONDS_MAX)
        consumer.end()
    arrived = [number for number, _ in Sightings.load(out).pairs()]
    out.unlink()
    return arrived
