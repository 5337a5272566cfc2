"""Delivery: claim due chats, make their calls, write what became of them.

Invariants: `calling` is committed before a socket is touched; a claim's end names the claim's epoch.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from services.notification.domain.card import Composer
from services.notification.domain.lane import Assignment, decide
from services.notification.domain.notification import Call
from services.notification.domain.outcome import NotCalled, Outcome
from services.notification.domain.settlement import AT_ONCE, RetryPolicy, settle
from services.notification.service.ports import Closed, Finished, Ledger, Limits, Messenger, Settled


class BotStopped(Exception):
    """Telegram does not accept the bot's token: no further call can succeed until an operator changes it."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Telegram refused the bot's token ({reason}): set NOTIFICATION_TELEGRAM_TOKEN to a valid one")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What one claim brought: calls to make, rows that became final without one, and how many lanes were due."""

    assignments: Sequence[Assignment]
    finished: Sequence[Finished]
    lanes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A call and what became of it."""

    assignment: Assignment
    outcome: Outcome


class Delivery:
    """Use cases of the sender. `lease` bounds how long a claimed chat waits for a sender that died."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        messenger: Messenger,
        composer: Composer,
        limits: Limits,
        retry: RetryPolicy,
        lease: timedelta,
    ) -> None:
        self._ledger = ledger
        self._messenger = messenger
        self._composer = composer
        self._limits = limits
        self._retry = retry
        self._lease = lease

    async def claim(self, lanes_max: int) -> Claimed:
        """Claim due chats and commit, for each, the call that is about to be made. Raises LedgerAway."""
        room = await self._limits.room(lanes_max) if await self._ledger.any_due() else 0
        if room == 0:
            return Claimed(assignments=(), finished=(), lanes=0)
        async with self._ledger.turn() as turn:
            lanes = await turn.claim(lanes_max=room, lease=self._lease)
            decisions = [decide(lane, head, self._retry) for lane, head in lanes]
            finished = await turn.apply(decisions) if decisions else ()
        assignments = [decision.assignment for decision in decisions if decision.assignment]
        return Claimed(assignments=assignments, finished=finished, lanes=len(lanes))

    async def call(self, assignment: Assignment) -> Called:
        """Make the one call of the assignment, unless a limit holds it back."""
        hold = await self._limits.wait_for(assignment.lane.chat_id)
        if hold > AT_ONCE:
            return Called(assignment=assignment, outcome=NotCalled(hold, "limited"))
        outcome = await self._touch_the_socket(assignment)
        await self._limits.heard(assignment.lane.chat_id, outcome)
        return Called(assignment=assignment, outcome=outcome)

    async def settle(self, calls: Sequence[Called]) -> Closed:
        """Write what became of the calls; repeating it changes nothing. Raises LedgerAway; BotStopped when written."""
        settled = [
            Settled(
                lane=called.assignment.lane,
                calling=called.assignment.notification,
                settlement=settle(called.assignment.notification, called.outcome, self._retry),
            )
            for called in calls
        ]
        async with self._ledger.turn() as turn:
            closed = await turn.settle(settled)
        for each in settled:
            if each.settlement.stop is not None:
                raise BotStopped(each.settlement.stop)
        return closed

    async def hand_back(self, in_flight: Collection[int]) -> int:
        """Undo claims whose commit was never heard of: their calls were not made. Raises LedgerAway."""
        async with self._ledger.turn() as turn:
            return await turn.hand_back(except_lanes=in_flight)

    async def _touch_the_socket(self, assignment: Assignment) -> Outcome:
        message = self._composer.compose(assignment)
        chat_id = assignment.lane.chat_id
        if assignment.notification.call is Call.EDIT_CARD and assignment.message_id is not None:
            return await self._messenger.edit(chat_id, assignment.message_id, message)
        return await self._messenger.send(chat_id, message)
