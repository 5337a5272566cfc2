"""From commit to the consumer, and to the acknowledgement, at several rates; who uses how much meanwhile."""

from bench.contestants.roster import Roster
from bench.findings import Findings, wrongs
from bench.ratios import Ratio, ratio
from bench.settings import CONTESTANTS, in_turn
from bench.stand import Stand
from bench.turn import observe, summary

COMPARED_RATE = 1_000
"""Where the floor is measured, Debezium as shipped, and what everybody uses."""

_ONLY_THERE = ("floor", "default")
_COMPILE_SECONDS_MAX = 10.0


def latency(stand: Stand, roster: Roster) -> Findings:
    """Every contestant in turn at every rate, round after round."""
    settings, found = stand.settings, Findings("latency")
    _warm(stand, roster)
    for round_number in range(1, settings.repeat + 1):
        for rate in settings.rates:
            for name in in_turn(CONTESTANTS, round_number):
                if name in settings.contestants and (rate == COMPARED_RATE or name not in _ONLY_THERE):
                    _take_turn(found, stand, roster, name, rate=rate, round_number=round_number)
    found.ratios = [each for rate in settings.rates for each in _compared(found, rate)]
    found.ratios += _over_the_floor(found) + _used(found)
    return found


def resources(stand: Stand, roster: Roster) -> Findings:
    """What ours and Debezium use at 1,000 events/s: a part of what `latency` finds, alone."""
    found = Findings("resources")
    _warm(stand, roster)
    for round_number in range(1, stand.settings.repeat + 1):
        for name in in_turn(("ours", "tuned"), round_number):
            if name in stand.settings.contestants:
                _take_turn(found, stand, roster, name, rate=COMPARED_RATE, round_number=round_number)
    found.ratios = _used(found)
    return found


def _warm(stand: Stand, roster: Roster) -> None:
    """Turns that do not count: the broker's JVM compiles, then Debezium's. None where nothing is to be warmed."""
    if stand.settings.warm_seconds == 0:
        return
    seconds = min(_COMPILE_SECONDS_MAX, stand.settings.seconds)
    for name in ("ours", "tuned", "default"):
        if name in stand.settings.contestants:
            observe(stand, roster[name], rate=COMPARED_RATE, seconds=seconds, warm_seconds=0)


def _take_turn(found: Findings, stand: Stand, roster: Roster, name: str, *, rate: int, round_number: int) -> None:
    """One turn, its row kept and, if it is ours, held against the promise."""
    settings = stand.settings
    seen = observe(stand, roster[name], rate=rate, seconds=settings.seconds, warm_seconds=settings.warm_seconds)
    row = {"contestant": name, "rate": rate, "round": round_number, **summary(seen)}
    found.say(row)
    if name == "ours":
        found.wrong += wrongs(row)


def _compared(found: Findings, rate: int) -> list[Ratio]:
    """Ours over Debezium tuned, and over the classic relay, at one rate."""
    made: list[Ratio] = []
    for quantile in ("p50", "p95", "p99"):
        mine = found.column(f"{quantile}_ms", contestant="ours", rate=rate)
        for other, suffix in (("tuned", ""), ("classic", "-classic")):
            theirs = found.column(f"{quantile}_ms", contestant=other, rate=rate)
            made += ratio(f"latency-{rate}-{quantile}{suffix}", mine, theirs)
    return made


def _over_the_floor(found: Findings) -> list[Ratio]:
    made: list[Ratio] = []
    for quantile in ("p50", "p99"):
        mine = found.column(f"ack_{quantile}_ms", contestant="ours", rate=COMPARED_RATE)
        bare = found.column(f"ack_{quantile}_ms", contestant="floor", rate=COMPARED_RATE)
        made += ratio(f"floor-{quantile}", mine, bare)
    return made


def _used(found: Findings) -> list[Ratio]:
    """Memory of the processes; processor time of the processes with their sessions in the database."""

    def cores(name: str) -> list[float]:
        own = found.column("cores", contestant=name, rate=COMPARED_RATE)
        sessions = found.column("session_cores", contestant=name, rate=COMPARED_RATE)
        return [a + b for a, b in zip(own, sessions, strict=True)]

    def memory(name: str) -> list[float]:
        return found.column("pss_mib", contestant=name, rate=COMPARED_RATE)

    return [*ratio("memory", memory("ours"), memory("tuned")), *ratio("cpu", cores("ours"), cores("tuned"))]
