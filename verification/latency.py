"""Commit → accepted by Telegram: how long a status change took to reach a person's phone.

Both clocks are the machine's: the row's ``occurred_at`` and the stand-in's acceptance log, which is written before the
answer is decided. A change that a newer one replaced before it was shown has no acceptance and therefore no latency.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import TYPE_CHECKING, Any, Final

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from verification.counters import Committed

_TAG: Final = re.compile(r"<[^>]+>")
_CARD: Final = re.compile(r"^o:(?P<order>\d+):(?P<version>\d+)")


@dataclass(frozen=True, slots=True)
class Shown:
    """An order card as the stand-in first accepted it in one version; ``text`` is what its owner reads."""

    at: datetime
    text: str


async def acceptances(telegram_url: str) -> dict[tuple[str, int], Shown]:
    """What the stand-in first accepted of each order card, by order (as the topic's key) and version."""
    async with httpx.AsyncClient(base_url=telegram_url, trust_env=False, timeout=30) as client:
        answer = await client.get("/_/accepted", params={"since": 0})
    answer.raise_for_status()
    first: dict[tuple[str, int], Shown] = {}
    for accepted in answer.json():
        for card in _cards(accepted["payload"]):
            first.setdefault(card, Shown(datetime.fromisoformat(accepted["at"]), _read(accepted["text"])))
    return first


def latencies_seconds(committed: Iterable[Committed], accepted: Mapping[tuple[str, int], Shown]) -> list[float]:
    """Seconds from commit to acceptance of every change that was shown, ascending."""
    return sorted(
        (accepted[change.key, change.version].at - change.occurred_at).total_seconds()
        for change in committed
        if (change.key, change.version) in accepted
    )


def quantile(ascending: Sequence[float], share: float) -> float:
    """The value that ``share`` of an ascending sequence does not exceed; 0 for an empty one."""
    return ascending[min(len(ascending) - 1, int(share * len(ascending)))] if ascending else 0.0


def _read(markup: str) -> str:
    return unescape(_TAG.sub("", markup))


def _cards(payload: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    markup = payload.get("reply_markup") or {}
    for row in markup.get("inline_keyboard", ()):
        for button in row:
            if card := _CARD.match(button.get("callback_data", "")):
                yield card["order"], int(card["version"])
                return
