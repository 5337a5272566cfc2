"""What answering people needs, said as small protocols: the desk where an answer is made, and who may sit at it."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from services.notification.domain.lane import Subscriber
from services.notification.domain.link import Link
from services.notification.domain.reply import Addressed
from services.notification.domain.story import Headline, Quiet, Story


class Links(Protocol):
    """Who is told in which chat, and the offers that make it so."""

    async def in_chat(self, chat_id: int) -> Sequence[Subscriber]:
        """Return everybody who is told in a chat, the newest link first, also those who stopped."""
        ...

    async def of_user(self, user_id: int) -> Subscriber | None:
        """Return the link of a user, active or not."""
        ...

    async def open(self, token: bytes, chat_id: int) -> Link | None:
        """Return the offer behind a token's fingerprint; from now on it belongs to this chat alone.

        None if it is unknown, over, used, or another chat's.
        """
        ...

    async def offered(self, link_id: int, chat_id: int) -> Link | None:
        """Return an offer this chat opened and may still use."""
        ...

    async def used(self, link_id: int, chat_id: int) -> Link | None:
        """Return an offer this chat has used."""
        ...

    async def use_up(self, link_id: int) -> None:
        """Nobody may use the offer any more."""
        ...

    async def put(self, subscriber: Subscriber) -> None:
        """Write the link; it counts for every call that begins after this."""
        ...

    async def forget_others(self, chat_id: int, user_id: int) -> None:
        """Nobody but this user is told in the chat."""
        ...

    async def activate(self, chat_id: int, *, active: bool) -> None:
        """Begin or cease to tell anything in the chat."""
        ...

    async def speak(self, chat_id: int, language: str) -> None:
        """Use this language in the chat."""
        ...


class OrderBook(Protocol):
    """What is known of orders. Nothing is said of an order whose owner is not named."""

    async def newest(self, user_ids: Sequence[int], *, before: int | None, rows_max: int) -> Sequence[Headline]:
        """Return these users' orders, the newest first, those before an order if one is given."""
        ...

    async def story(self, user_ids: Sequence[int], order_id: int) -> Story | None:
        """Return an order of these users; None if it is somebody else's or nobody's."""
        ...


class Mutes(Protocol):
    """What makes no sound. `order_id` None is everything."""

    async def mute(self, user_ids: Sequence[int], order_id: int | None, span: timedelta | None) -> None:
        """Be silent for so long from now on, or (None) until told otherwise."""
        ...

    async def unmute(self, user_ids: Sequence[int], order_id: int | None) -> None:
        """Make sounds again, for everything and for this order."""
        ...

    async def of(self, user_ids: Sequence[int]) -> Sequence[Quiet]:
        """Return what concerns everything and is in force now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """All that an answer may look at and change, in one transaction."""

    links: Links
    orders: OrderBook
    mutes: Mutes


class UpdateTurn(Protocol):
    """The transaction of one update."""

    desk: Desk

    async def keep(self, addressed: Addressed) -> None:
        """Keep the reply with the update until it is made."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """The right to ask Telegram for updates. `offset` is the first one wanted, None: whatever there is."""

    epoch: int
    offset: int | None


class AnsweredBefore(Exception):
    """The update was handled before: nothing is done again."""


class TermOver(Exception):
    """Another replica asks Telegram now."""


class Updates(Protocol):
    """Which updates are handled, by whom. Every method raises LedgerAway."""

    async def lead(self) -> Term | None:
        """Take or keep the right to ask Telegram; None while another replica has it."""
        ...

    async def resign(self) -> None:
        """Give the right back, if it is ours."""
        ...

    def turn(self, update_id: int, epoch: int) -> AbstractAsyncContextManager[UpdateTurn]:
        """Open the one transaction that handles an update. Raises AnsweredBefore, TermOver."""
        ...

    def look(self) -> AbstractAsyncContextManager[Desk]:
        """Open a desk for looking only."""
        ...

    async def unmade(self) -> Sequence[Addressed]:
        """Return the replies that were kept and never made, oldest first."""
        ...

    async def made(self, update_id: int) -> None:
        """Forget a reply that was made, or that nothing can make."""
        ...


class Cancellation(StrEnum):
    """What became of a wish to cancel an order."""

    DONE = "done"
    TOO_LATE = "too late"
    AWAY = "away"


class Orders(Protocol):
    """The service that owns orders."""

    async def cancel(self, order_id: int) -> Cancellation:
        """Cancel an order; doing it twice is doing it once. Never raises."""
        ...
