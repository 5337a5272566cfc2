"""The bot's loop: lead, ask Telegram, handle what people did, ask again from there on.

Invariants: Telegram is asked only under a lease that outlives the question, so two replicas never both ask; an update
is confirmed to Telegram only after it was handled or found to ask nothing; one update that cannot be handled stops no
other.
"""

import asyncio
import contextlib
import traceback
from collections.abc import Mapping
from dataclasses import dataclass

from telegram import Update
from telegram.error import TelegramError

from chassis.logs import get_logger
from services.notification import metrics
from services.notification.domain.outcome import BotRefused, Limited
from services.notification.domain.reply import Addressed, Reply
from services.notification.domain.request import Asked
from services.notification.domain.seal import Seal
from services.notification.domain.settlement import RetryPolicy
from services.notification.service.conversation import Conversation
from services.notification.service.delivery import BotStopped
from services.notification.service.desk import AnsweredBefore, Term, TermOver, Updates
from services.notification.service.ports import LedgerAway
from services.notification.telegram.incoming import asked
from services.notification.telegram.outcomes import outcome_of
from services.notification.telegram.replies import Replies
from services.notification.telegram.updates import TelegramUpdates

_MARGIN_SECONDS = 2.0
"""What is left of the lease at least when a question to Telegram has been given up."""

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long a question to Telegram stays open, how long the lease lasts, how often a standby looks at it."""

    poll_seconds: int
    lease_seconds: float
    standby_seconds: float
    away_seconds: float = 1.0
    finish_seconds_max: float = 5.0


class UpdateLoop:
    """Runs until stopped; raises BotStopped when Telegram no longer accepts the token."""

    def __init__(
        self,
        *,
        telegram: TelegramUpdates,
        updates: Updates,
        conversation: Conversation,
        replies: Replies,
        seal: Seal,
        commands: Mapping[str, Mapping[str, str]],
        retry: RetryPolicy,
        pace: Pace,
    ) -> None:
        self._telegram = telegram
        self._updates = updates
        self._conversation = conversation
        self._replies = replies
        self._seal = seal
        self._commands = commands
        self._retry = retry
        self._pace = pace
        self._stopping = asyncio.Event()
        self._epoch: int | None = None
        self._offset: int | None = None
        self._username = ""
        self._failures = 0

    def stop(self) -> None:
        """Ask for the end: the question in flight is given up."""
        self._stopping.set()

    async def run(self) -> None:
        """Lead or stand by until stopped."""
        try:
            while not self._stopping.is_set():
                await self._turn()
        finally:
            await self._leave()

    async def _turn(self) -> None:
        try:
            pause = await self._lead()
        except LedgerAway as error:
            log.warning("bot.ledger_away", reason=str(error))
            pause = self._pace.away_seconds
        except TermOver:
            self._stand_by()
            pause = self._pace.standby_seconds
        except TelegramError as error:
            pause = self._pause_after(error)
        if self._replies.broken is not None:
            raise self._replies.broken
        await self._rest(pause)

    async def _lead(self) -> float:
        """One step of whoever leads; return how long to rest after it."""
        leased_from = asyncio.get_running_loop().time()
        term = await self._updates.lead()
        if term is None:
            self._stand_by()
            return self._pace.standby_seconds
        if term.epoch != self._epoch:
            await self._take_over(term)
            return 0
        for update in await self._ask(leased_from + self._pace.lease_seconds):
            await self._handle(update, term.epoch)
        self._failures = 0
        return 0

    async def _take_over(self, term: Term) -> None:
        """Begin a term: what the former left unmade is made first."""
        self._username = await self._telegram.introduce(self._commands)
        for addressed in await self._updates.unmade():
            self._replies.take(addressed)
        self._epoch, self._offset = term.epoch, term.offset
        metrics.BOT_LEADING.set(1)
        log.info("bot.leads", epoch=term.epoch)

    def _stand_by(self) -> None:
        if self._epoch is not None:
            log.info("bot.stands_by", epoch=self._epoch)
        self._epoch = None
        metrics.BOT_LEADING.set(0)

    async def _ask(self, lease_ends: float) -> "list[Update]":
        """Ask Telegram and wait, but not beyond the lease and not beyond the stop."""
        latest = lease_ends - _MARGIN_SECONDS
        question = asyncio.create_task(self._question(latest))
        stop = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({question, stop}, return_when=asyncio.FIRST_COMPLETED)
            return question.result() if question.done() else []
        finally:
            stop.cancel()
            question.cancel()

    async def _question(self, latest: float) -> "list[Update]":
        try:
            async with asyncio.timeout_at(latest):
                return list(await self._telegram.wait(self._offset, self._pace.poll_seconds))
        except TimeoutError:
            return []

    async def _handle(self, update: Update, epoch: int) -> None:
        request = asked(update, username=self._username, seal=self._seal)
        if request is not None:
            await self._hear(request, epoch)
        self._offset = update.update_id + 1

    async def _hear(self, request: Asked, epoch: int) -> None:
        kind = type(request.request).__name__
        try:
            addressed = await self._conversation.hear(request, epoch)
        except AnsweredBefore:
            metrics.BOT_UPDATES.labels(kind, "answered before").inc()
        except (LedgerAway, TermOver):
            raise
        except Exception as error:  # noqa: BLE001 - a supervised boundary: this update would come again for ever
            self._pass_over(request, error)
        else:
            if addressed is not None:
                self._replies.take(addressed)
            metrics.BOT_UPDATES.labels(kind, "handled").inc()

    def _pass_over(self, request: Asked, error: Exception) -> None:
        """Tell of the fault without its text, which may name a chat; end the tap, if it is one."""
        kind = type(request.request).__name__
        log.error("bot.update_failed", kind=kind, error=type(error).__name__, at=_place_of(error))
        metrics.BOT_UPDATES.labels(kind, "failed").inc()
        self._replies.take(_nothing_to_say(request))

    def _pause_after(self, error: TelegramError) -> float:
        outcome = outcome_of(error)
        if isinstance(outcome, BotRefused):
            raise BotStopped(outcome.reason) from error
        self._failures += 1
        metrics.BOT_POLLS_FAILED.inc()
        log.warning("bot.not_asked", outcome=type(outcome).__name__, error=type(error).__name__)
        if isinstance(outcome, Limited) and outcome.after is not None:
            return outcome.after.total_seconds()
        return self._retry.delay(self._failures).total_seconds()

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _leave(self) -> None:
        """Make what was taken, then let another lead at once."""
        await self._replies.finish(self._pace.finish_seconds_max)
        try:
            await self._updates.resign()
        except LedgerAway as error:
            log.warning("bot.not_resigned", reason=str(error))


def _place_of(error: Exception) -> str:
    """Say where it was raised."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.filename}:{frame.lineno}"


def _nothing_to_say(request: Asked) -> Addressed:
    """End the tap, if it is one: its button would wait otherwise."""
    return Addressed(update_id=request.update_id, chat_id=request.chat_id, query_id=request.query_id, reply=Reply())
