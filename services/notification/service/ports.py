"""What the use cases need, said as small protocols. Drivers stand behind them, never inside."""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from services.notification.domain.change import StatusChange
from services.notification.domain.lane import Decision, Head, Lane, Subscriber
from services.notification.domain.message import Message
from services.notification.domain.notification import Notification, State
from services.notification.domain.outcome import Outcome
from services.notification.domain.settlement import Settlement


class LedgerAway(Exception):
    """The ledger cannot be reached or gave way to somebody else; the same again, a little later, may succeed."""


class Planning(Protocol):
    """Writes plans inside somebody else's transaction."""

    async def plan(self, changes: Sequence[StatusChange]) -> dict[State, int]:
        """Write one row per change, its order's card and its chat's lane; return how many rows began in which state."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A call that is over: the lane whose claim it ends, the row as the call left it, the row as it is to be."""

    lane: Lane
    calling: Notification
    settlement: Settlement


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A row that has just become final. `latency` runs from the status change to now."""

    state: State
    latency: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """What writing answers brought: rows that became final, and how many answers came too late for their claim."""

    finished: Sequence[Finished]
    fenced: int


class LedgerTurn(Protocol):
    """One transaction of the sender."""

    async def claim(self, *, lanes_max: int, lease: timedelta) -> Sequence[tuple[Lane, Head | None]]:
        """Claim due lanes nobody holds; return each with the order first in line."""
        ...

    async def apply(self, decisions: Sequence[Decision]) -> Sequence[Finished]:
        """Write what was decided; give back the lanes without a call. Raises LedgerAway if a row changed meanwhile."""
        ...

    async def settle(self, settled: Sequence[Settled]) -> Closed:
        """Write what became of calls and give their lanes back; rows another claim has taken over are left alone."""
        ...

    async def hand_back(self, *, except_lanes: Collection[int]) -> int:
        """Plan again what this sender claimed but certainly never called; return how many rows that were."""
        ...


class Ledger(Protocol):
    """The sender's door to the ledger."""

    async def any_due(self) -> bool:
        """Say whether a claim would find a lane. Raises LedgerAway."""
        ...

    def turn(self) -> AbstractAsyncContextManager[LedgerTurn]:
        """Open a transaction, committed when the block ends well. Raises LedgerAway."""
        ...


class Messenger(Protocol):
    """Carries a message to a chat. Never raises: whatever happens is an outcome."""

    async def send(self, chat_id: int, message: Message) -> Outcome:
        """Send a new message."""
        ...

    async def edit(self, chat_id: int, message_id: int, message: Message) -> Outcome:
        """Change a message sent before."""
        ...


class Limits(Protocol):
    """How fast the outside may be called."""

    async def room(self, calls_max: int) -> int:
        """Say how many calls may begin in the next moment, up to `calls_max`: what is claimed is to be called."""
        ...

    async def wait_for(self, chat_id: int) -> timedelta:
        """Take a slot for one call, wait the moment until it comes and return zero.

        Or take none and return how long to hold the call back.
        """
        ...

    async def heard(self, chat_id: int, outcome: Outcome) -> None:
        """Learn from what a call was answered: a pause asked for is kept, by everybody who shares the limits."""
        ...


class SubscriberStore(Protocol):
    """Who is linked to which chat."""

    async def find(self, user_id: int) -> Subscriber | None:
        """Return the link of a user, active or not."""
        ...

    async def put(self, subscriber: Subscriber) -> None:
        """Write the link; it counts for every call that begins after this."""
        ...
