"""Puts the stand-in together from its parts: the only place that constructs."""

import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from starlette.applications import Starlette

from stack.telegram import asgi
from stack.telegram.bell import Bell
from stack.telegram.bot_api import BotApi
from stack.telegram.calls import Calls
from stack.telegram.chats import Chats
from stack.telegram.journal import Journal
from stack.telegram.levers import Levers
from stack.telegram.menu import Menu
from stack.telegram.phone import Phone
from stack.telegram.rates import UNLIMITED, RateLimits, Rates
from stack.telegram.script import Script
from stack.telegram.taps import Taps
from stack.telegram.updates import Updates
from stack.telegram.wire import BotIdentity

ACCEPTED_FILE = "accepted.jsonl"
_BOT_ID_WITHOUT_TOKEN = 1_000_000_001


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one stand-in is started with; without limits it takes every message."""

    folder: Path
    token: str | None = None  # None: any well-formed token is ours
    limits: RateLimits = UNLIMITED
    strict_chats: bool = False  # True: only chats whose person wrote first exist


def build(settings: Settings) -> tuple[Starlette, Journal]:
    """Replay the log of the former life and give the application, with the journal to close at the end."""
    bot = BotIdentity(bot_id=_bot_id(settings.token))
    chats, bell, taps, script, menu = Chats(), Bell(), Taps(), Script(), Menu()
    updates = Updates(bot=bot, chats=chats)
    journal = Journal(settings.folder / ACCEPTED_FILE, now=_now, new_call_id=lambda: uuid.uuid4().hex)
    for entry in journal.replay():
        chats.apply(entry)
        updates.apply(entry)
        menu.apply(entry)
    rates, calls = Rates(settings.limits, monotonic=time.monotonic), Calls(monotonic=time.monotonic)
    bot_api = BotApi(
        bot=bot,
        chats=chats,
        updates=updates,
        journal=journal,
        script=script,
        rates=rates,
        calls=calls,
        taps=taps,
        bell=bell,
        menu=menu,
        strict_chats=settings.strict_chats,
    )
    phone = Phone(bot=bot, bot_api=bot_api, chats=chats, updates=updates, taps=taps, bell=bell, menu=menu)
    levers = Levers(phone=phone, journal=journal, script=script, rates=rates, calls=calls, updates=updates)
    return asgi.application(bot_api=bot_api, levers=levers, token=settings.token), journal


def _bot_id(token: str | None) -> int:
    return int(token.partition(":")[0]) if token else _BOT_ID_WITHOUT_TOKEN


def _now() -> datetime:
    return datetime.fromtimestamp(time.time(), tz=UTC)
