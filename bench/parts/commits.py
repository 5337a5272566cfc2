"""What the outbox costs those who write: orders created per second with it, without it, while relays are woken."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from bench.contestants.roster import Roster
from bench.events import HEADERS
from bench.findings import Findings
from bench.pgbench import Script, script, transactions_per_second
from bench.program import Program
from bench.ratios import ratio
from bench.settings import in_turn
from bench.stand import Stand
from bench.statements import statement
from outbox.fragments import insert_rows

_SKUS = 10_000
_BODY = '{"order_id": 4242424, "status": "awaiting payment", "moment": "2026-11-21T08:00:00.123456Z"}'
_WAYS = ("without", "with", "with-wake", "with-notify-inside")
"""The last is the control: a NOTIFY in the business transaction must be seen to cost what the wake does not."""


def commits(stand: Stand, _roster: Roster) -> Findings:
    """The four ways in turn, round after round."""
    found = Findings("commits")
    _make_shop(stand)
    for round_number in range(1, stand.settings.repeat + 1):
        for way in in_turn(_WAYS, round_number):
            with _waking(stand, wanted=way == "with-wake") as heard:
                rate = transactions_per_second(
                    stand, _creating(way), clients=stand.settings.writers, seconds=stand.settings.seconds
                )
            row = {"way": way, "round": round_number, "per_second": rate, "wakes": sum(heard)}
            found.say({**row, "load1": os.getloadavg()[0]})
    stand.script("truncate outbox")  # nobody shall publish these orders
    rates = {way: found.column("per_second", way=way) for way in _WAYS}
    found.ratios = [
        *ratio("commits", rates["with"], rates["without"]),
        *ratio("wake", rates["with-wake"], rates["with"]),
        *ratio("notify-inside", rates["with-notify-inside"], rates["with"]),
    ]
    return found


def _creating(way: str) -> Script:
    ending = "\nselect order_id from added"
    if way != "without":
        ending = script("announce", insert_rows=insert_rows())
    if way == "with-notify-inside":
        ending += "\nreturning pg_notify('outbox', '')"
    return Script(script("create_order", skus=str(_SKUS), ending=ending), {"headers": HEADERS, "body": _BODY})


def _make_shop(stand: Stand) -> None:
    stand.script(
        statement("shop"),
        f"insert into shop_stocks select sku, 1000000000, 0 from generate_series(1, {_SKUS}) as sku",
        "vacuum analyze shop_stocks",
    )


@contextmanager
def _waking(stand: Stand, *, wanted: bool) -> Iterator[list[int]]:
    """While the block runs, somebody wakes; how often it was heard stands in the list afterwards."""
    heard: list[int] = []
    if not wanted:
        yield heard
        return
    with Program("waker", stand.folder, dsn=stand.dsn) as waker:
        waker.expect("ready")
        yield heard
        waker.tell("stop")
        heard.append(waker.expect("stopped")["heard"])
        waker.end()
