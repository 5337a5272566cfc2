"""How fast the sender tells people, against what Telegram allows: a message for each of a thousand chats at once.

The Bot API's stand-in refuses what the real service would; it also says when each call arrived. One sender, and three
that share the bot through Valkey.
"""

import os
import time
from contextlib import ExitStack
from typing import Any

from bench.contestants.roster import Roster
from bench.findings import Findings
from bench.notified import Notified, notified
from bench.ratios import Ratio
from bench.settings import in_turn
from bench.stand import Stand
from bench.statements import statement
from bench.watching import NotFilled

_ALLOWED_PER_SECOND = 30
_WAYS = {"sender": 1, "sender-three": 3}
_LOOK_SECONDS = 0.25
_GRACE_SECONDS = 60.0


def sender(stand: Stand, roster: Roster) -> Findings:
    """One and three in turn, round after round, each on a fresh ledger."""
    del roster  # nobody else sends
    found = Findings("sender")
    for round_number in range(1, stand.settings.repeat + 1):
        for way in in_turn((*_WAYS,), round_number):
            with notified(stand) as service:
                row = _round(service, _WAYS[way], stand.settings.messages)
            found.say({"way": way, "round": round_number, **row, "load1": os.getloadavg()[0]})
            found.wrong += _wrong(way, row, stand.settings.messages)
    found.ratios = [Ratio(way, tuple(found.column("of_allowed", way=way))) for way in _WAYS]
    return found


def _round(service: Notified, senders: int, messages: int) -> dict[str, Any]:
    service.sql(statement("link_chats"), messages)
    service.sql(statement("plan_cards"))
    with ExitStack() as running:
        for number in range(senders):
            settings = {"NOTIFICATION_INSTANCE": f"sender-{number}", "NOTIFICATION_SENDERS": str(senders)}
            running.enter_context(service.process("sender", **settings))
        _wait_until_told(service, messages)
    calls = service.calls()
    told = [call["at"] for call in calls if call["code"] == 200]
    rate = (len(told) - 1) / (max(told) - min(told))
    return {
        "per_second": rate,
        "of_allowed": rate / _ALLOWED_PER_SECOND,
        "told": len(told),
        "refused": sum(call["code"] == 429 for call in calls),
        "most_in_a_second": max(sum(begin <= at < begin + 1.0 for at in told) for begin in told),
    }


def _wait_until_told(service: Notified, messages: int) -> None:
    deadline = time.monotonic() + messages / _ALLOWED_PER_SECOND + _GRACE_SECONDS
    while service.sql(statement("read_unfinished"))[0][0]:
        if time.monotonic() > deadline:
            raise NotFilled(f"after {messages / _ALLOWED_PER_SECOND + _GRACE_SECONDS:.0f} s rows still wait")
        time.sleep(_LOOK_SECONDS)


def _wrong(way: str, row: dict[str, Any], messages: int) -> list[str]:
    return [] if row["told"] == messages else [f"{way}: {messages} messages, {row['told']} accepted"]
