"""Reads what Telegram's stand-in accepted: its log was written before it decided how to answer.

A message of ours names its order and version in the data of its buttons (`o:<order id>:<version>…`); what has no such
button is conversation, and no witness. A card makes no sound; an alert does, unless its reader wants none, and its
button says `o:<order id>:<version>:a`.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import httpx
import orjson

from verification.facts import Accepted, Call
from verification.witnesses.away import WitnessAway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verification.spool import Spool

_BUTTON: Final = re.compile(r"o:(\d{1,19}):(\d{1,19})(?::|$)")
_ALERT_BUTTON: Final = re.compile(r"o:\d{1,19}:\d{1,19}:a(?::|$)")
_LINES_A_PAGE: Final = 1_000
_TIMEOUT_SECONDS: Final = 30.0


class AcceptanceLog:
    """The log behind `GET /_/accepted` of a stand-in."""

    def __init__(self, *, url: str) -> None:
        self._url = url

    async def read(self, since: datetime, spool: Spool) -> None:
        """Spool every accepted call since a moment; raises WitnessAway if nobody answers."""
        try:
            async with httpx.AsyncClient(base_url=self._url, timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
                position = await _line_before(client, since)
                while page := await _page(client, position, _LINES_A_PAGE):
                    position = page[-1]["seq"]
                    for line in page:
                        accepted = _accepted(line)
                        if accepted is not None and datetime.fromisoformat(line["at"]) >= since:
                            spool.add(accepted)
        except httpx.HTTPError as error:
            raise WitnessAway("the Telegram stand-in", str(error) or type(error).__name__) from error


async def _line_before(client: httpx.AsyncClient, since: datetime) -> int:
    """Find a line at or shortly before the first one of the window, in a few questions however long the log is."""
    after, step = 0, 1
    while await _older(client, after + step, since):
        after, step = after + step, step * 2
    while step > 1:
        step //= 2
        if await _older(client, after + step, since):
            after += step
    return after


async def _older(client: httpx.AsyncClient, line: int, since: datetime) -> bool:
    page = await _page(client, line, 1)
    return bool(page) and datetime.fromisoformat(page[0]["at"]) < since


async def _page(client: httpx.AsyncClient, since: int, limit: int) -> list[dict[str, Any]]:
    answer = await client.get("/_/accepted", params={"since": since, "limit": limit})
    answer.raise_for_status()
    page: list[dict[str, Any]] = orjson.loads(answer.content)
    return page


def _accepted(line: dict[str, Any]) -> Accepted | None:
    named = _order_and_version(line["payload"])
    if named is None or line["method"] not in {"sendMessage", "editMessageText"}:
        return None
    return Accepted(*named, seq=line["seq"], call=_call(line))


def _call(line: dict[str, Any]) -> Call:
    if line["method"] == "editMessageText":
        return Call.EDIT_CARD
    silent = str(line["payload"].get("disable_notification", "")).lower() == "true"
    alert = any(_ALERT_BUTTON.match(data) for data in _data(line["payload"]))
    return Call.SEND_CARD if silent and not alert else Call.SEND_ALERT


def _order_and_version(payload: dict[str, Any]) -> tuple[int, int] | None:
    for data in _data(payload):
        match = _BUTTON.match(data)
        if match:
            return int(match[1]), int(match[2])
    return None


def _data(payload: dict[str, Any]) -> Iterator[str]:
    """What the buttons of a message carry."""
    for row in (payload.get("reply_markup") or {}).get("inline_keyboard", ()):
        for button in row:
            yield str(button.get("callback_data", ""))
