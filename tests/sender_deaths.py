"""A sender that is killed again and again while orders change, and a judge who looks at what Telegram accepted.

Telegram's acceptance log is written before it answers, so it knows what the ledger may not. The judge holds the one
against the other: whatever the ledger calls done was accepted, nothing was sent twice, no order went back a version.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count, pairwise
from typing import Any

from services.notification.domain.change import StatusChange
from services.notification.domain.notification import State
from tests.notification_fixtures import Town, paid, placed
from tests.notification_processes import NotificationProcess
from tests.waiting import eventually

PEOPLE = 40
_ORDERS_AT_ONCE = 20
_WAITING_MAX = 20
_CALLS_BEFORE_A_DEATH = 60
_PATIENCE_SECONDS = 60.0

Send = tuple[str, str]
"""What was sent: order and version as the buttons name them, and whether it was a card or an alert."""


@dataclass(slots=True)
class Load:
    """Orders that are placed and paid as fast as they are told, until it is enough."""

    town: Town
    chats: dict[int, int]
    planned: int = 0
    _orders: "count[int]" = field(default_factory=lambda: count(1))
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Plan the next orders, and pay those before them, whenever little is left to tell."""
        waiting_for_payment: list[int] = []
        while not self._over.is_set():
            fresh = [next(self._orders) for _ in range(_ORDERS_AT_ONCE)]
            changes = [change for order in fresh for change in placed(order, user_id=self.owner_of(order))]
            changes += [paid(order, user_id=self.owner_of(order)) for order in waiting_for_payment]
            await self._plan(changes)
            waiting_for_payment = fresh
            await eventually(self._little_is_left, within=_PATIENCE_SECONDS)
        await self._plan([paid(order, user_id=self.owner_of(order)) for order in waiting_for_payment])

    def enough(self) -> None:
        """Pay what is placed and end."""
        self._over.set()

    def owner_of(self, order_id: int) -> int:
        """Whose order it is."""
        return 1 + order_id % len(self.chats)

    async def _plan(self, changes: list[StatusChange]) -> None:
        await self.town.plan(*changes)
        self.planned += len(changes)

    async def _little_is_left(self) -> bool:
        waiting = await self.town.eye.fetchval("select count(*) from notifications where finished_at is null")
        return self._over.is_set() or int(waiting) < _WAITING_MAX


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run came to."""

    kills: int
    changes: int
    states: dict[str, int]
    sends: int
    edits: int
    uncertain_though_sent: int

    def line(self) -> str:
        """For the report."""
        return (
            f"sender killed {self.kills} times: {self.changes} changes, {self.sends} sends, {self.edits} edits, "
            f"0 lost, 0 sent twice, {self.states.get('uncertain', 0)} uncertain "
            f"(of those {self.uncertain_though_sent} had been accepted)"
        )


async def killed_under_load(town: Town, start: Callable[[], NotificationProcess], *, kills: int) -> Figures:
    """Kill the sender so often, each time with calls in the air; let a last one finish; judge."""
    load = Load(town, {user_id: await town.link(user_id) for user_id in range(1, PEOPLE + 1)})
    busy = asyncio.create_task(load.run())
    town.telegram.script(None, {"answer": "ok", "delay_seconds": 0.03, "times": None})
    for _ in range(kills):
        sender = start()
        await _calls(town, _CALLS_BEFORE_A_DEATH)
        sender.kill()
    load.enough()
    last = start()
    await busy
    await eventually(town.settled, within=_PATIENCE_SECONDS, every=0.1)
    assert last.terminate() == 0
    return await _judged(town, load, kills)


async def _calls(town: Town, many: int) -> None:
    """Wait until the bot was called so many times more."""
    begun = await asyncio.to_thread(town.telegram.calls)
    number = begun[-1]["number"] if begun else 0
    await eventually(lambda: len(town.telegram.calls(since=number)) >= many, within=_PATIENCE_SECONDS)


async def _judged(town: Town, load: Load, kills: int) -> Figures:
    rows = [dict(row) for row in await town.eye.fetch("select * from notifications order by order_id, version")]
    accepted = await asyncio.to_thread(town.telegram.accepted)
    sends = [line for line in accepted if line["method"] == "sendMessage"]
    assert len(rows) == load.planned, "a change without its row"
    assert _twice(sends) == {}, "sent twice"
    assert _backwards(sends) == [], "an order that went back"
    assert _strangers(accepted, load) == [], "told to somebody else"
    assert _unsent(rows, accepted) == [], "done in the ledger, unknown to Telegram"
    assert {row["state"] for row in rows} <= {State.DELIVERED, State.SUPERSEDED, State.UNCERTAIN}
    uncertain = [row for row in rows if row["state"] == State.UNCERTAIN]
    known = {_send_of(line)[0] for line in sends}
    return Figures(
        kills=kills,
        changes=len(rows),
        states=dict(Counter(row["state"] for row in rows)),
        sends=len(sends),
        edits=len(accepted) - len(sends),
        uncertain_though_sent=sum(_name(row) in known for row in uncertain),
    )


def _send_of(line: dict[str, Any]) -> Send:
    button = line["payload"]["reply_markup"]["inline_keyboard"][0][0]["callback_data"]
    silent = str(line["payload"].get("disable_notification", "")).lower() == "true"
    return ":".join(button.split(":")[:3]), "card" if silent else "alert"


def _name(row: dict[str, Any]) -> str:
    return f"o:{row['order_id']}:{row['version']}"


def _twice(sends: list[dict[str, Any]]) -> dict[Send, int]:
    return {send: times for send, times in Counter(map(_send_of, sends)).items() if times > 1}


def _backwards(sends: list[dict[str, Any]]) -> list[tuple[str, str]]:
    by_order: dict[str, list[int]] = {}
    for line in sends:
        _, order, version = _send_of(line)[0].split(":")
        by_order.setdefault(order, []).append(int(version))
    return [
        (order, f"{before} then {after}")
        for order, versions in by_order.items()
        for before, after in pairwise(versions)
        if after < before
    ]


def _strangers(accepted: list[dict[str, Any]], load: Load) -> list[str]:
    return [
        name
        for line in accepted
        if (name := _send_of(line)[0]) and load.chats[load.owner_of(int(name.split(":")[1]))] != line["chat_id"]
    ]


def _unsent(rows: list[dict[str, Any]], accepted: list[dict[str, Any]]) -> list[str]:
    """Alerts the ledger calls done that nobody accepted, and versions that no card ever showed."""
    alerts = {name for line in accepted if (name := _send_of(line)[0]) and _is_alert(line)}
    shown: dict[int, int] = {}
    for line in accepted:
        if not _is_alert(line):
            _, order, version = _send_of(line)[0].split(":")
            shown[int(order)] = max(shown.get(int(order), 0), int(version))
    silent = [_name(row) for row in rows if row["alert_step"] == "done" and _name(row) not in alerts]
    return silent + [
        _name(row) for row in rows if row["card_step"] == "done" and shown.get(row["order_id"], 0) < row["version"]
    ]


def _is_alert(line: dict[str, Any]) -> bool:
    return line["method"] == "sendMessage" and _send_of(line)[1] == "alert"
