"""How fast the notification service plans what lies in the log, against the same statements sent by pgbench.

Ours is the real consumer: Kafka, decoding, the inbox, three statements a batch. Every order is placed, waits for
payment and is paid; everybody is linked, so that every event is a row that waits, a card and a lane. Both sides have a
connection per partition, batches as large, and share their people alike.
"""

import os
import time

from bench.contestants.roster import Roster
from bench.findings import Findings
from bench.notified import Notified, notified
from bench.order_log import PEOPLE, filled
from bench.pgbench import Script, bound, script, seconds_of_transaction
from bench.ratios import Ratio, ratio
from bench.stand import Stand
from bench.statements import statement
from bench.watching import Growth, NotFilled
from inbox.policy import Limits
from inbox.statements import statement as inbox_statement
from outbox import uuid7
from services.notification.repository.statements import statement as service_statement

_PROMISED_PER_MINUTE = 10_000
_LOOK_SECONDS = 0.02
_APPLY_SECONDS_MAX = 300.0


def notification(stand: Stand, roster: Roster) -> Findings:
    """Ours and pgbench in turn, round after round, each on a fresh ledger; ours reads the same log each time."""
    del roster  # nobody else has a ledger
    found = Findings("notification")
    orders = filled(stand)
    batch_events = Limits().batch_events_max
    for round_number in range(1, stand.settings.repeat + 1):
        facts = {"round": round_number, "load1": os.getloadavg()[0]}
        with notified(stand) as service:
            planned = 3 * orders / _planned(service, 3 * orders).span_seconds
            found.wrong += _held_against_the_promise(service, 3 * orders)
        found.say({"way": "consumer", "per_second": planned, "per_minute": planned * 60, **facts})
        with notified(stand) as service:
            seconds = _by_pgbench(service, orders, batch_events)
        ceiling = stand.settings.partitions * batch_events / seconds
        found.say({"way": "pgbench", "per_second": ceiling, "per_minute": ceiling * 60, **facts})
    ours, theirs = (found.column("per_second", way=way) for way in ("consumer", "pgbench"))
    promised = tuple(each * 60 / _PROMISED_PER_MINUTE for each in ours)
    found.ratios = [*ratio("notification", ours, theirs), Ratio("notification-10000-a-minute", promised)]
    return found


def _planned(service: Notified, rows: int) -> Growth:
    """From the first planned batch to the last."""
    service.sql(statement("link_chats"), PEOPLE)
    with service.process("consumer"):
        began, first = time.monotonic(), 0.0
        while True:
            looked = time.monotonic() - began
            [(reached,)] = service.sql(statement("read_progress"), "notification")
            if reached >= rows:
                return Growth(first, time.monotonic() - began)
            if reached == 0:
                first = looked
            if looked > _APPLY_SECONDS_MAX:
                raise NotFilled(f"{reached} of {rows} events planned after {_APPLY_SECONDS_MAX:.0f} s")
            time.sleep(_LOOK_SECONDS)


def _held_against_the_promise(service: Notified, rows: int) -> list[str]:
    [plans] = service.sql(statement("read_plans"))
    if plans["planned"] == rows and plans["uneven"] == 0:
        return []
    return [f"notification: {rows} events, {plans['planned']} rows, {plans['uneven']} of orders without three versions"]


def _by_pgbench(service: Notified, orders: int, batch_events: int) -> float:
    """Seconds of one batch, from BEGIN to the answer of COMMIT, with a client per partition side by side."""
    clients = service.stand.settings.partitions
    service.sql(statement("link_chats"), PEOPLE)
    service.sql(statement("plan_batches"))
    service.sql(statement("make_plans"), orders, batch_events, PEOPLE, clients)
    for client in range(clients):
        service.sql(inbox_statement("own"), "pgbench", "pgbench", client, None, 0, "pgbench")
    values = {"name": "pgbench", "epoch": "1", "position": "0", "nobody": str(uuid7()), "turn": "0"}
    return seconds_of_transaction(
        service.stand,
        Script(_script(clients), values),
        database=service.name,
        clients=clients,
        transactions=3 * (orders // clients // batch_events),
    )


def _script(clients: int) -> str:
    plan = ("order_ids", "versions", "user_ids", "statuses", "items", "audible", "moments", "event_ids", "traceparents")
    partition = ("client_id", "epoch", "position", "position", "nobody")
    return script(
        "plan_batch",
        clients=str(clients),
        lock_watermarks=bound(inbox_statement("lock_watermarks"), "name", "name", "keys"),
        plan_notifications=bound(service_statement("plan_notifications"), *plan),
        want_cards=bound(service_statement("want_cards"), "order_ids", "user_ids", "chat_ids", "versions"),
        open_lanes=bound(service_statement("open_lanes"), "chats"),
        store_watermarks=bound(
            inbox_statement("store_watermarks"), "name", "name", "keys", "versions", "mark_ids", "parked"
        ),
        advance=bound(inbox_statement("advance"), "name", "name", *partition),
    )
