"""The desk in Postgres: links, orders and mutes on one connection, whose transaction belongs to somebody else."""

from collections.abc import Sequence
from datetime import timedelta

import asyncpg

from services.notification.domain.change import Status
from services.notification.domain.lane import Moment, Subscriber
from services.notification.domain.link import Link
from services.notification.domain.story import Headline, Quiet, Story
from services.notification.repository.statements import statement
from services.notification.service.desk import Desk

_EVERYTHING = 0
"""The order id under which the silence of everything is kept."""


def postgres_desk(connection: asyncpg.Connection) -> Desk:
    """Set up the desk on a connection."""
    return Desk(links=PostgresLinks(connection), orders=PostgresOrderBook(connection), mutes=PostgresMutes(connection))


class PostgresLinks:
    """Who is told in which chat, and the offers that make it so."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    async def in_chat(self, chat_id: int) -> Sequence[Subscriber]:
        """Return everybody who is told in a chat, the newest link first, also those who stopped."""
        return [Subscriber(**row) for row in await self.connection.fetch(statement("links_in_chat"), chat_id)]

    async def of_user(self, user_id: int) -> Subscriber | None:
        """Return the link of a user, active or not."""
        row = await self.connection.fetchrow(statement("find_subscriber"), user_id)
        return None if row is None else Subscriber(**row)

    async def open(self, token: bytes, chat_id: int) -> Link | None:
        """Return the offer behind a token's fingerprint, now this chat's; None if it is none, over or another's."""
        return await self._link("open_link", token, chat_id)

    async def offered(self, link_id: int, chat_id: int) -> Link | None:
        """Return an offer this chat opened and may still use."""
        return await self._link("offered_link", link_id, chat_id)

    async def used(self, link_id: int, chat_id: int) -> Link | None:
        """Return an offer this chat has used."""
        return await self._link("used_link", link_id, chat_id)

    async def use_up(self, link_id: int) -> None:
        """Nobody may use the offer any more."""
        await self.connection.execute(statement("use_up_link"), link_id)

    async def put(self, subscriber: Subscriber) -> None:
        """Write the link; it counts for every call that begins after this."""
        await self.connection.execute(
            statement("put_subscriber"),
            subscriber.user_id,
            subscriber.chat_id,
            subscriber.language,
            subscriber.active,
        )

    async def forget_others(self, chat_id: int, user_id: int) -> None:
        """Nobody but this user is told in the chat."""
        await self.connection.execute(statement("forget_others"), chat_id, user_id)

    async def activate(self, chat_id: int, *, active: bool) -> None:
        """Begin or cease to tell anything in the chat."""
        if active:
            await self.connection.execute(statement("activate_chat"), chat_id)
        else:
            await self.connection.execute(statement("deactivate_chat"), [chat_id])

    async def speak(self, chat_id: int, language: str) -> None:
        """Use this language in the chat."""
        await self.connection.execute(statement("speak_in_chat"), chat_id, language)

    async def _link(self, name: str, *arguments: object) -> Link | None:
        row = await self.connection.fetchrow(statement(name), *arguments)
        return None if row is None else Link(**row)


class PostgresOrderBook:
    """Orders as the ledger knows them."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def newest(self, user_ids: Sequence[int], *, before: int | None, rows_max: int) -> Sequence[Headline]:
        """Return these users' orders, the newest first, those before an order if one is given."""
        rows = await self._connection.fetch(statement("newest_orders"), user_ids, before, rows_max)
        return [
            Headline(order_id=row["order_id"], status=Status(row["status"]), items=row["items"], at=row["moment"])
            for row in rows
        ]

    async def story(self, user_ids: Sequence[int], order_id: int) -> Story | None:
        """Return an order of these users; None if it is somebody else's or nobody's."""
        rows = await self._connection.fetch(statement("read_story"), order_id, user_ids)
        if not rows:
            return None
        return Story(
            order_id=order_id,
            version=rows[-1]["version"],
            items=rows[0]["items"],
            moments=tuple(Moment(Status(row["status"]), row["moment"]) for row in rows),
        )


class PostgresMutes:
    """What makes no sound."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def mute(self, user_ids: Sequence[int], order_id: int | None, span: timedelta | None) -> None:
        """Be silent for so long from now on, or (None) until told otherwise."""
        await self._connection.execute(statement("mute"), user_ids, order_id or _EVERYTHING, span)

    async def unmute(self, user_ids: Sequence[int], order_id: int | None) -> None:
        """Make sounds again, for everything and for this order."""
        await self._connection.execute(statement("unmute"), user_ids, order_id)

    async def of(self, user_ids: Sequence[int]) -> Sequence[Quiet]:
        """Return what concerns everything and is in force now."""
        rows = await self._connection.fetch(statement("read_mutes"), user_ids)
        return [Quiet(None, row["until"]) for row in rows]
