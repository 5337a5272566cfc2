"""What an event costs in Faust, and what the same event costs in the inbox: processor time of the two processes.

Faust keeps a view in memory; the inbox plans notifications in a database, once, and does far more for each event. A
third way is the same view behind a plain consumer: the rest of the difference is Faust's own. All read the same log.
What they spent before the first event, importing and joining, does not count.
"""

import os
import re
import time
from collections.abc import Callable

import httpx
import psutil

from bench.contestants.roster import Roster
from bench.findings import Findings
from bench.notified import Notified, Process, notified, wait_until_ready
from bench.order_log import PEOPLE, STATUSES, filled
from bench.program import Program
from bench.ratios import ratio
from bench.stand import Stand, loopback
from bench.statements import statement
from bench.watching import NotFilled
from events.topics import ORDER_EVENTS
from stack.ports import free_ports

_LOOK_SECONDS = 0.1
_READ_SECONDS_MAX = 600.0
_MISSING = re.compile(r"^projection_records_missing (\S+)$", re.MULTILINE)
_A_MILLION = 1_000_000


def projection(stand: Stand, roster: Roster) -> Findings:
    """The inbox, Faust and the plain consumer in turn, round after round; each reads the whole log."""
    del roster  # nobody else reads order events
    found = Findings("projection")
    orders = filled(stand)
    events = len(STATUSES) * orders
    for round_number in range(1, stand.settings.repeat + 1):
        facts = {"round": round_number, "load1": os.getloadavg()[0]}
        found.say({"way": "inbox", "cpu_microseconds": _by_inbox(stand, events), **facts})
        spent, statuses = _by_faust(stand, events)
        found.say({"way": "faust", "cpu_microseconds": spent, **facts})
        found.say({"way": "plain", "cpu_microseconds": _by_plain_consumer(stand, events), **facts})
        if statuses != {"paid": orders}:
            found.wrong.append(f"projection: {orders} orders were paid, the view tells {statuses}")
    ours, theirs = (found.column("cpu_microseconds", way=way) for way in ("inbox", "faust"))
    found.ratios = [
        *ratio("projection", ours, theirs),
        *ratio("projection-plain", found.column("cpu_microseconds", way="plain"), theirs),
    ]
    return found


def _by_inbox(stand: Stand, events: int) -> float:
    with notified(stand) as service:
        service.sql(statement("link_chats"), PEOPLE)
        with service.process("consumer") as process:
            return _microseconds(process, lambda: _applied(service), events)


def _applied(service: Notified) -> int:
    [(reached,)] = service.sql(statement("read_progress"), "notification")
    return int(reached)


def _by_faust(stand: Stand, events: int) -> tuple[float, dict[str, int]]:
    http, health = (loopback(port) for port in free_ports(2))
    environment = {
        "PROJECTION_KAFKA_BOOTSTRAP": stand.kafka.bootstrap,
        "PROJECTION_HTTP_ADDRESS": http,
        "PROJECTION_HEALTH_ADDRESS": health,
        "LOG_LEVEL": "WARNING",
    }
    with Process(stand.folder / "projection.log", ("services.projection", "view"), **environment) as process:
        wait_until_ready(health)
        spent = _microseconds(process, lambda: events - _missing(health), events)
        return spent, httpx.get(f"http://{http}/statuses").json()


def _by_plain_consumer(stand: Stand, events: int) -> float:
    config = {"topic": ORDER_EVENTS, "partitions": stand.settings.partitions, "events": events}
    with Program("view", stand.folder, bootstrap=stand.kafka.bootstrap, **config) as program:
        return float(program.expect("done", within=_READ_SECONDS_MAX)["cpu_microseconds"])


def _missing(health: str) -> int:
    told = _MISSING.search(httpx.get(f"http://{health}/metrics").text)
    return int(float(told[1])) if told else 0


def _microseconds(process: Process, reached: Callable[[], int], events: int) -> float:
    """Processor time of an event, from the first look that finds some read to the one that finds all."""
    deadline = time.monotonic() + _READ_SECONDS_MAX
    first: tuple[int, float] | None = None
    while (now := reached()) < events:
        if first is None and now > 0:
            first = now, _cpu_seconds(process)
        if time.monotonic() > deadline:
            raise NotFilled(f"{now} of {events} events read after {_READ_SECONDS_MAX:.0f} s")
        time.sleep(_LOOK_SECONDS)
    began, spent_before = first or (0, 0.0)
    return (_cpu_seconds(process) - spent_before) / (events - began) * _A_MILLION


def _cpu_seconds(process: Process) -> float:
    spent = psutil.Process(process.pid).cpu_times()
    return float(spent.user + spent.system)
