"""The bot over a real database and a real Bot API, and the people at its phones."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from services.notification import bootstrap
from services.notification.domain.reply import Addressed
from services.notification.repository.updates import PostgresUpdates
from services.notification.service.desk import Cancellation, Desk, Term, Updates, UpdateTurn
from services.notification.service.ports import LedgerAway
from services.notification.settings import BotSettings
from tests.notification_fixtures import Town, a_chat
from tests.stand_in import TOKEN, Phones
from tests.waiting import eventually

NO_ANSWER = "(no answer)"


def bot_settings(telegram_url: str, **others: Any) -> BotSettings:
    """Quick settings: short questions, short leases."""
    quick = {"bot_poll_seconds": 1, "bot_lease_seconds": 5.0, "bot_standby_seconds": 0.05, "call_seconds": 3.0}
    pauses = {"retry_seconds_min": 0.05, "retry_seconds_max": 0.2}
    facts = {"database_url": "postgresql://", "telegram_token": TOKEN, "telegram_url": telegram_url}
    return BotSettings(**{**facts, **quick, **pauses, **others})


@dataclass
class ScriptedOrders:
    """The owner of orders, answering what the test says; remembers what it was asked."""

    says: Cancellation = Cancellation.DONE
    asked: list[int] = field(default_factory=list)

    async def cancel(self, order_id: int) -> Cancellation:
        self.asked.append(order_id)
        return self.says


@asynccontextmanager
async def bot(
    town: Town, *, orders: ScriptedOrders | None = None, updates: Updates | None = None, **others: Any
) -> AsyncIterator["asyncio.Task[None]"]:
    """A running bot, stopped gracefully at the end of the block, which raises what it ended with."""
    settings = bot_settings(town.telegram.url, **others)
    messenger, telegram = bootstrap.telegram_messenger(settings), bootstrap.telegram_updates(settings)
    await messenger.start()
    await telegram.start()
    loop = bootstrap.update_loop(
        updates=updates or bootstrap.bot_updates(town.pool.acquire, settings),
        orders=orders or ScriptedOrders(),
        messenger=messenger,
        telegram=telegram,
        settings=settings,
    )
    running = asyncio.create_task(loop.run())
    try:
        yield running
    finally:
        loop.stop()
        await asyncio.wait([running])
        await telegram.stop()
        await messenger.stop()
    running.result()


@dataclass(frozen=True, slots=True)
class Pressable:
    """What a button carries, and under which message."""

    message_id: int
    data: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a phone. What they do is done in a thread: the bot lives in the test's own loop."""

    telegram: Phones
    chat: int

    async def says(self, text: str) -> str:
        """Write to the bot; the text of its answer."""
        written = await asyncio.to_thread(self.telegram.write, self.chat, text)
        answer = await eventually(lambda: self._answer_after(written), every=0.05)
        return str(answer["text"])

    async def types(self, text: str) -> None:
        """Write something that may get no answer."""
        await asyncio.to_thread(self.telegram.write, self.chat, text)

    async def heard(self) -> list[str]:
        """All the bot ever said here."""
        return [str(message["text"]) for message in await self._messages()]

    async def becomes(self, *, active: bool, town: Town) -> None:
        """Wait until this chat is told again, or no more."""

        async def so() -> bool:
            return (await town.eye.fetchval("select active from subscribers where chat_id = $1", self.chat)) is active

        await eventually(so)

    async def taps(self, label: str) -> str:
        """Tap the newest button that says this; the word that ended the tap."""
        return await self.sends(await self.button(label))

    async def button(self, label: str) -> "Pressable":
        """The newest button that says this, as soon as there is one."""
        return await eventually(lambda: asyncio.to_thread(self._newest, label), every=0.05)

    async def sends(self, button: "Pressable") -> str:
        """Send what a button carries, be it shown or not; the word that ended the tap."""
        answer = await asyncio.to_thread(self.telegram.tap_data, self.chat, button.message_id, button.data)
        return NO_ANSWER if answer is None else answer

    async def reads(self) -> str:
        """The newest message of the bot, empty if it never said anything."""
        messages = await self._messages()
        return str(messages[-1]["text"]) if messages else ""

    async def sees(self, text: str) -> None:
        """Wait until the newest message of the bot says this: a tap is ended before its message changes."""
        await self.sees_begin(text)
        assert await self.reads() == text

    async def sees_begin(self, text: str) -> None:
        """Wait until the newest message of the bot begins so."""

        async def shown() -> bool:
            newest = await self.reads()
            assert newest[: len(text)] == text
            return True

        await eventually(shown, every=0.05)

    async def buttons(self) -> list[str]:
        """What the buttons under the newest message with buttons say."""
        shown = [message for message in await self._messages() if "reply_markup" in message]
        return [button["text"] for row in shown[-1]["reply_markup"]["inline_keyboard"] for button in row]

    async def speaks(self, language: str) -> None:
        """Set the phone to a language."""
        await asyncio.to_thread(self.telegram.speak, self.chat, language)

    async def blocks(self, *, blocked: bool = True) -> None:
        """Stop the bot, or let it write again."""
        await asyncio.to_thread(lambda: self.telegram.block(self.chat, blocked=blocked))

    async def _messages(self) -> list[dict[str, Any]]:
        screen = await asyncio.to_thread(self.telegram.screen, self.chat)
        return [message for message in screen if message["from"]["is_bot"]]

    async def _answer_after(self, written: int) -> dict[str, Any] | None:
        newer = [message for message in await self._messages() if message["message_id"] > written]
        return newer[0] if newer else None

    def _newest(self, label: str) -> "Pressable":
        for message in reversed(self.telegram.screen(self.chat)):
            for row in message.get("reply_markup", {}).get("inline_keyboard", []):
                for button in row:
                    if button["text"] == label:
                        return Pressable(message["message_id"], button["callback_data"])
        raise AssertionError(f"no button says {label!r}")


def a_person(town: Town, chat: int | None = None) -> Person:
    """Somebody with a phone of their own."""
    return Person(town.telegram, a_chat() if chat is None else chat)


async def a_linked_person(town: Town, user_id: int = 7) -> Person:
    """Somebody whose account is linked."""
    return a_person(town, await town.link(user_id))


async def an_invitation(town: Town, user_id: int = 7) -> str:
    """A token that links an account."""
    return (await bootstrap.invitations(town.pool.acquire).invite(user_id)).token


async def linked(town: Town) -> list[tuple[int, int, bool]]:
    """Every link: user, chat, active."""
    rows = await town.eye.fetch("select user_id, chat_id, active from subscribers order by user_id")
    return [tuple(row) for row in rows]


class _Passing:
    """All but what a test changes goes to the real thing."""

    def __init__(self, inner: PostgresUpdates) -> None:
        self.inner = inner

    async def lead(self) -> Term | None:
        return await self.inner.lead()

    async def resign(self) -> None:
        await self.inner.resign()

    def turn(self, update_id: int, epoch: int) -> AbstractAsyncContextManager[UpdateTurn]:
        return self.inner.turn(update_id, epoch)

    def look(self) -> AbstractAsyncContextManager[Desk]:
        return self.inner.look()

    async def unmade(self) -> Sequence[Addressed]:
        return await self.inner.unmade()

    async def made(self, update_id: int) -> None:
        await self.inner.made(update_id)


class OtherDesk(_Passing):
    """The real record of updates with another desk in every turn."""

    def __init__(self, inner: PostgresUpdates, change: Callable[[Desk], Desk]) -> None:
        super().__init__(inner)
        self._change = change

    @asynccontextmanager
    async def turn(self, update_id: int, epoch: int) -> AsyncIterator[UpdateTurn]:
        async with self.inner.turn(update_id, epoch) as turn:
            turn.desk = self._change(turn.desk)
            yield turn


class Away(_Passing):
    """A database that is away while `away` is set."""

    away = False
    refused = 0

    async def lead(self) -> Term | None:
        self._refuse()
        return await self.inner.lead()

    @asynccontextmanager
    async def turn(self, update_id: int, epoch: int) -> AsyncIterator[UpdateTurn]:
        self._refuse()
        async with self.inner.turn(update_id, epoch) as turn:
            yield turn

    def _refuse(self) -> None:
        if self.away:
            self.refused += 1
            raise LedgerAway("scripted")
