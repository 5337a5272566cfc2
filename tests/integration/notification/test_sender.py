"""The sender's loop over a database that fails in every place it can."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from services.notification import bootstrap
from services.notification.domain.message import Message
from services.notification.domain.outcome import Outcome
from services.notification.service.ports import Messenger
from services.notification.telegram.queue_watch import QueueWatch
from services.notification.telegram.sender import Pace, Sender
from tests.notification_fixtures import Town, paid, placed, settings
from tests.waiting import eventually


class Failing:
    """Lends the town's connections, and fails the loans it is told to: before they begin, or after their commit."""

    def __init__(self, town: Town, *, before: tuple[int, ...] = (), after: tuple[int, ...] = ()) -> None:
        self.turns = 0
        self._town = town
        self._before = before
        self._after = after

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        self.turns += 1
        turn = self.turns
        if turn in self._before:
            raise ConnectionRefusedError
        async with self._town.pool.acquire() as connection:
            yield connection
        if turn in self._after:
            raise ConnectionResetError


@pytest.mark.parametrize("turn", [1, 2, 3, 4])
async def test_a_turn_that_cannot_begin_is_made_later(town: Town, turn: int) -> None:
    chat = await town.link()
    await town.plan(*placed(42), paid(42))

    await town.deliver(acquire=Failing(town, before=(turn, turn + 1)).acquire)

    assert town.accepted(chat) == [("sendMessage", "o:42:3"), ("sendMessage", "o:42:3")]
    assert await town.states(42) == ["superseded", "superseded", "delivered"]


@pytest.mark.parametrize("turn", range(1, 8))
async def test_a_commit_whose_answer_is_lost_neither_repeats_nor_loses(town: Town, turn: int) -> None:
    chat = await town.link()
    await town.plan(*placed(42), paid(42))

    await town.deliver(acquire=Failing(town, after=(turn,)).acquire)

    assert town.accepted(chat) == [("sendMessage", "o:42:3"), ("sendMessage", "o:42:3")]
    assert await town.states(42) == ["superseded", "superseded", "delivered"]


async def test_a_stop_writes_what_is_known_even_if_the_database_is_away_for_a_moment(town: Town) -> None:
    chat = await town.link()
    town.telegram.script(chat, {"answer": "ok", "delay_seconds": 0.3})
    await town.plan(*placed(42))

    async with town.sender(acquire=AwayAfterTheClaim(town).acquire):
        await eventually(lambda: town.accepted(chat))

    assert await town.states(42) == ["superseded", "delivered"]


class AwayAfterTheClaim(Failing):
    """Fails the first turn after the one that claimed."""

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        claimed = await self._town.eye.fetchval("select count(*) from notifications where state = 'calling'")
        if claimed and not self._before:
            self._before = (self.turns + 1,)
        async with super().acquire() as connection:
            yield connection


async def test_a_claim_that_is_too_old_is_given_back_without_a_call(town: Town) -> None:
    chat = await town.link()
    await town.plan(*placed(42))
    sender = Sender(delivery=town.delivery(), pace=Pace(calls_max=1, claim_seconds_max=-1))
    running = asyncio.create_task(sender.run())

    await eventually(lambda: lane_epoch(town, 3))
    sender.stop()
    await running

    assert town.accepted(chat) == []
    row = (await town.rows(42))[1]
    assert (row["state"], row["attempts"]) == ("planned", 0)


async def lane_epoch(town: Town, at_least: int) -> bool:
    return int(await town.eye.fetchval("select epoch from chat_lanes")) >= at_least


class Faulty:
    """The real messenger, but for one order, on which it breaks its promise never to raise."""

    def __init__(self, inner: Messenger, order_id: int) -> None:
        self._inner = inner
        self._prefix = f"o:{order_id}:"

    async def send(self, chat_id: int, message: Message) -> Outcome:
        if message.buttons[0].data.startswith(self._prefix):
            raise ZeroDivisionError
        return await self._inner.send(chat_id, message)

    async def edit(self, chat_id: int, message_id: int, message: Message) -> Outcome:
        return await self._inner.edit(chat_id, message_id, message)


async def test_a_fault_of_ours_ends_the_sender_and_costs_no_other_chat_its_answer(town: Town) -> None:
    await town.link(7)
    chat = await town.link(8)
    town.telegram.script(chat, {"answer": "ok", "delay_seconds": 0.3})
    await town.plan(*placed(42, user_id=7), *placed(43, user_id=8))
    real = bootstrap.telegram_messenger(settings(town.telegram.url))
    await real.start()

    with pytest.raises(ZeroDivisionError):
        await town.deliver(messenger=Faulty(real, 42))

    await real.stop()
    assert await town.states(42) == ["superseded", "calling"]
    assert await town.states(43) == ["superseded", "delivered"]


async def test_the_queue_is_watched_although_a_sample_fails(town: Town) -> None:
    await town.link()
    await town.plan(*placed(42))
    samples: list[tuple[int, float]] = []

    async def measure() -> tuple[int, float]:
        if not samples:
            samples.append((0, 0.0))
            raise ConnectionRefusedError
        samples.append(await bootstrap.reports(town.pool.acquire).queue())
        return samples[-1]

    watch = asyncio.create_task(QueueWatch(measure=measure, every_seconds=0.01).run())
    await eventually(lambda: len(samples) > 2)
    watch.cancel()

    assert samples[-1][0] == 2
    assert timedelta(seconds=samples[-1][1]) > timedelta(0)


async def test_operators_see_links_doubts_and_attempts(town: Town) -> None:
    chat = await town.link()
    town.telegram.script(chat, {"answer": "close"})
    await town.plan(*placed(42))
    await town.deliver()
    reports = bootstrap.reports(town.pool.acquire)

    links = await reports.subscribers(10)
    doubts = await reports.uncertain(10)
    attempts = await reports.attempts(42)

    assert [(link["user_id"], link["chat_id"], link["active"]) for link in links] == [(7, chat, True)]
    assert [(doubt["order_id"], doubt["version"], doubt["card_step"]) for doubt in doubts] == [(42, 2, "uncertain")]
    assert [(each["version"], each["state"], each["attempts"]) for each in attempts] == [
        (1, "superseded", 0),
        (2, "uncertain", 1),
    ]
