"""What a newcomer reads when the demo is over: what runs, what happened, what to open, how to stop."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

from rich.panel import Panel

from cli.output import answers
from stack import client
from stack.home import home_of
from stack.usage import pss

if TYPE_CHECKING:
    from cli.demo_run import Outcome
    from stack.access import Access
    from verification.counters import Counters

MIB = 1024 * 1024


def show(outcome: Outcome, *, seconds: float) -> None:
    """Print the summary; ``seconds`` is the whole demo's length."""
    console = answers()
    console.print(Panel("\n".join(_lines(outcome, seconds)), title="onelane", title_align="left", expand=False))


def _lines(outcome: Outcome, seconds: float) -> list[str]:
    running = client.running()
    seen = outcome.counters
    endings = Counter(each.errand.ending.value for each in outcome.shopped)
    told = " · ".join(f"{count} {ending}" for ending, count in endings.most_common())
    states = " · ".join(f"{rows} {state.replace('_', ' ')}" for state, rows in sorted(seen.states.items()))
    verdict = "✔ equal" if seen.equal else "✘ they differ: onelane verify --since 1h"
    return [
        f"{len(outcome.shopped)} orders, {seconds:.0f} s with the start: {told}",
        f"the first one was on a phone {outcome.first_order_seconds:.2f} s after the tap",
        "",
        f"{_four(seen)}   {verdict}",
        f"of the notified: {states}",
        f"commit → accepted by Telegram: p50 {_ms(outcome.p50_seconds)}, p99 {_ms(outcome.p99_seconds)}",
        f"memory of everything that runs: {pss(home_of(os.environ)) / MIB:.0f} MiB",
        "",
        *_card(outcome),
        *_next_steps(running.access, order_id=outcome.shown_order or 1),
    ]


def _four(seen: Counters) -> str:
    four = ("committed", "published", "applied", "notified")
    return (" = " if seen.equal else " · ").join(f"{name} {getattr(seen, name)}" for name in four)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _card(outcome: Outcome) -> list[str]:
    """The last card on one phone, as its owner reads it."""
    return [*(f"  │ {line}" for line in outcome.card.splitlines()), ""] if outcome.card else []


def _next_steps(access: Access, *, order_id: int) -> list[str]:
    phone = [f"the phones    {access.url('telegram')}"] if access.telegram_token is None else []
    return [
        *phone,
        f"LOMS          {access.url('loms-http')}/order/info?orderId={order_id}",
        f"one order     .venv/bin/onelane orders timeline {order_id}",
        "all addresses .venv/bin/onelane urls",
        "stop          make down",
    ]
