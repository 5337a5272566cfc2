"""How fast the inbox applies what lies in the log, against the same statements sent by pgbench."""

import os
import time

from bench.contestants.bare_producer import BareProducer
from bench.contestants.roster import Roster
from bench.events import ORDERS
from bench.findings import Findings
from bench.pgbench import Script, bound, script, transactions_per_second
from bench.program import Program
from bench.ratios import ratio
from bench.stand import Stand
from bench.statements import statement
from bench.watching import Growth, NotFilled, watching
from inbox.policy import Limits
from inbox.statements import statement as inbox_statement

_ROWS_PART = 3
_BATCHES = 4
_IDS_KEPT_MAX = 16
_LOOK_SECONDS = 0.02
_APPLY_SECONDS_MAX = 300.0


def inbox(stand: Stand, _roster: Roster) -> Findings:
    """Ours and pgbench in turn, round after round; ours reads the same log each time under another name."""
    found = Findings("inbox")
    rows = max(ORDERS, stand.settings.rows // _ROWS_PART)
    topic = _filled_topic(stand, rows)
    batch_events = Limits().batch_events_max
    _make_batches(stand, batch_events, versions=rows // ORDERS)
    for round_number in range(1, stand.settings.repeat + 1):
        facts = {"round": round_number, "load1": os.getloadavg()[0]}
        applied = _apply(stand, topic, rows, f"bench-{round_number}")
        found.say({"way": "inbox", "per_second": applied, **facts})
        scripts = [_script(batch) for batch in range(_BATCHES)]
        rate = transactions_per_second(
            stand, *scripts, clients=stand.settings.partitions, seconds=stand.settings.seconds
        )
        found.say({"way": "pgbench", "per_second": rate * batch_events, **facts})
        found.wrong += _held_against_the_promise(stand, rows, f"bench-{round_number}")
    found.ratios = ratio("inbox", found.column("per_second", way="inbox"), found.column("per_second", way="pgbench"))
    return found


def _filled_topic(stand: Stand, rows: int) -> str:
    producer = BareProducer(stand, first=stand.numbers(rows), rows=rows, topic="bench-inbox")
    producer.prepare(noting=False)
    try:
        with watching(stand.kafka.bootstrap, producer.topic, stand.settings.partitions) as watch:
            producer.begin()
            watch.follow(rows, seconds_max=_APPLY_SECONDS_MAX)
    finally:
        producer.close()
    return producer.topic


def _make_batches(stand: Stand, batch_events: int, *, versions: int) -> None:
    stand.script(statement("effects"))
    ids_kept = max(1, min(_IDS_KEPT_MAX, versions // 2))
    stand.sql(statement("make_batches"), stand.settings.partitions, _BATCHES, batch_events, ids_kept)
    stand.sql(statement("make_watermarks"), ids_kept)
    for client in range(stand.settings.partitions):
        stand.sql(inbox_statement("own"), "pgbench", "pgbench", client, None, 0, "pgbench")


def _apply(stand: Stand, topic: str, rows: int, consumer: str) -> float:
    """Events per second, from the first applied batch to the last."""
    config = {"dsn": stand.dsn, "bootstrap": stand.kafka.bootstrap, "topic": topic, "consumer": consumer}
    with Program("inbox", stand.folder, **config) as program:
        program.expect("ready")
        program.tell("go")
        growth = _followed(stand, rows, consumer)
        program.end()
    return rows / growth.span_seconds


def _followed(stand: Stand, rows: int, consumer: str) -> Growth:
    began, first = time.monotonic(), 0.0
    while True:
        looked = time.monotonic() - began
        [(reached,)] = stand.sql(statement("read_progress"), consumer)
        if reached >= rows:
            return Growth(first, time.monotonic() - began)
        if reached == 0:
            first = looked
        if looked > _APPLY_SECONDS_MAX:
            raise NotFilled(f"{reached} of {rows} events applied after {_APPLY_SECONDS_MAX:.0f} s")
        time.sleep(_LOOK_SECONDS)


def _held_against_the_promise(stand: Stand, rows: int, consumer: str) -> list[str]:
    [effects] = stand.sql(statement("read_effects"), consumer)
    if effects["applied"] == rows and effects["uneven"] == 0:
        return []
    return [f"inbox: {rows} events, {effects['applied']} applied, {effects['uneven']} keys not by version"]


def _script(batch: int) -> Script:
    """The inbox's own statements with pgbench's variables; the position stays where it is."""
    keys, versions = f"keys_{batch}", f"versions_{batch}"
    partition = ["client_id", "epoch", "position", "position", "nobody"]
    sql = script(
        "apply_batch",
        batch=str(batch),
        lock_watermarks=bound(inbox_statement("lock_watermarks"), "name", "name", keys),
        apply_effects=bound(statement("apply_effects"), "name", keys, versions),
        store_watermarks=bound(
            inbox_statement("store_watermarks"), "name", "name", keys, versions, f"event_ids_{batch}", f"parked_{batch}"
        ),
        advance=bound(inbox_statement("advance"), "name", "name", *partition),
    )
    nobody = "00000000-0000-0000-0000-000000000000"
    values = {"name": "pgbench", "epoch": "1", "position": "0", "nobody": nobody, f"loaded_{batch}": "0"}
    return Script(sql, values)
