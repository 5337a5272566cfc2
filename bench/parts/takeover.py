"""The owner of the lease dies, or is asked to go, under load: how long nothing is acknowledged.

Two real relays on one outbox. A round strikes the owner and counts from the signal to the first event the standby got
acknowledged. A killed owner's lease must run out first, and under load it was renewed a tenth of a second before.
"""

import os
import signal
import time
import uuid
from typing import Any

from bench.contestants.roster import Roster
from bench.events import Sightings
from bench.findings import Findings, wrongs
from bench.program import Program
from bench.ratios import Ratio
from bench.relay_pair import RelayPair
from bench.settings import in_turn
from bench.stand import Stand
from bench.turn import faults

_RATE = 200
_SIGNALS = {"killed": signal.SIGKILL, "graceful": signal.SIGTERM}
_LOAD_SECONDS = {"killed": 6.0, "graceful": 3.0}
"""Of which the first passes before the owner is struck."""

_ACKNOWLEDGED_SECONDS_MAX = 30.0
_BEFORE_SECONDS = 1.0
_ARRIVAL_SECONDS_MAX = 30.0
_NS = 1e9


def takeover(stand: Stand, roster: Roster) -> Findings:
    """Killed and graceful in turn, round after round; every event of each round is followed to the consumer."""
    del roster  # nobody else has a standby to compare with
    found = Findings("takeover")
    topic, rounds = stand.topic("bench-ours"), stand.settings.takeovers
    with RelayPair(stand, topic) as pair:
        for round_number in range(1, rounds + 1):
            for way in in_turn((*_SIGNALS,), round_number):
                row = _round(stand, pair, topic, way, round_number)
                found.say(row)
                found.wrong += wrongs(row, ("lost", "disordered", *(("doubled",) if way == "graceful" else ())))
    found.ratios = [Ratio(f"takeover-{way}", tuple(found.column("seconds", way=way))) for way in _SIGNALS]
    return found


def _round(stand: Stand, pair: RelayPair, topic: str, way: str, round_number: int) -> dict[str, Any]:
    probes, count = stand.settings.writers, int(_RATE * _LOAD_SECONDS[way])
    first = stand.numbers(probes + count)
    owner, standby = pair.complete()
    commits, arrivals = (stand.folder / f"{uuid.uuid4().hex[:8]}.{what}" for what in ("commits", "arrivals"))
    with (
        Program(
            "consumer",
            stand.folder,
            bootstrap=stand.kafka.bootstrap,
            topic=topic,
            starts=stand.ends(topic),
            want=probes + count,
            out=str(arrivals),
        ) as consumer,
        Program(
            "load",
            stand.folder,
            dsn=stand.dsn,
            statement="ours",
            topic=topic,
            first=first,
            probes=probes,
            rate=_RATE,
            seconds=_LOAD_SECONDS[way],
            writers=stand.settings.writers,
            wake=True,
            out=str(commits),
        ) as load,
    ):
        _warm(consumer, load)
        time.sleep(_BEFORE_SECONDS)
        seconds = _struck(owner, standby, _SIGNALS[way])
        load.expect("written", within=_LOAD_SECONDS[way] + 60.0)
        consumer.hear("done", within=_ARRIVAL_SECONDS_MAX)
        consumer.end()
        load.end()
    pair.forget(owner)
    committed = {number for number, _ in Sightings.load(commits).pairs()}
    arrived = [number for number, _ in Sightings.load(arrivals).pairs()]
    return {
        "way": way,
        "rate": _RATE,
        "round": round_number,
        "seconds": seconds,
        **faults(committed, arrived),
        "load1": os.getloadavg()[0],
    }


def _warm(consumer: Program, load: Program) -> None:
    """One event per writer to the consumer, then the load begins."""
    consumer.expect("ready")
    load.expect("ready")
    load.tell("probe")
    load.expect("probed")
    consumer.expect("first")
    load.tell("go")


def _struck(owner: Program, standby: Program, number: signal.Signals) -> float:
    """From the signal to the standby's first acknowledgement, in seconds."""
    at = time.monotonic_ns()
    os.kill(owner.pid, number)
    acknowledged = standby.expect("acknowledged", within=_ACKNOWLEDGED_SECONDS_MAX)
    return float(acknowledged["at"] - at) / _NS
