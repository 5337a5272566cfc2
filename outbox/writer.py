"""Append: put messages in the outbox inside the caller's transaction.

Invariants: one INSERT for all messages of a call, sorted by version before the sequence is drawn; nothing is written
when any message is refused; never commits, never asks the broker. Make it the last business statement before commit.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast
from uuid import UUID

from outbox import errors
from outbox.fragments import insert_rows
from outbox.ids import uuid7
from outbox.message import (
    MAX_MESSAGE_BYTES_DEFAULT,
    Message,
    TopicRule,
    refuse_against,
    refuse_impossible_topic,
    refuse_malformed,
    refuse_oversize,
)
from outbox.statements import statement

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.pool import PoolConnectionProxy
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

    Connection = asyncpg.Connection[Any] | PoolConnectionProxy[Any] | AsyncConnection | AsyncSession


class Writer:
    """Appends messages of known topics.

    Args:
        topics: the rules of every topic this process may write to.
        new_id: makes the event id of a message that has none.
    """

    def __init__(self, topics: Iterable[TopicRule], *, new_id: Callable[[], UUID] = uuid7) -> None:
        self._rules = {rule.name: rule for rule in topics}
        self._new_id = new_id

    async def append(self, connection: "Connection", *messages: Message) -> list[UUID]:
        """Insert the messages in one statement and return their event ids, in the order given.

        Args:
            connection: an asyncpg connection, or an async SQLAlchemy connection or session, in a transaction.
            *messages: what to publish once that transaction commits.

        Raises:
            errors.AppendRefused: one of its kinds; nothing was written, the transaction is as it was.
        """
        for message in messages:
            self._refuse_wrong(message)
        return await _insert(connection, messages, self._new_id)

    def _refuse_wrong(self, message: Message) -> None:
        rule = self._rules.get(message.topic) if isinstance(message.topic, str) else None
        refuse_malformed(message)
        if rule is None:
            refuse_impossible_topic(message.topic)
            raise errors.UnknownTopic(message.topic, tuple(self._rules))
        refuse_against(rule, message)


async def append(connection: "Connection", *messages: Message) -> list[UUID]:
    """Insert the messages with no list of topics to hold them against: the quick start.

    Same promise as `Writer.append`; the size is held against Kafka's default limit.
    """
    for message in messages:
        refuse_impossible_topic(message.topic)
        refuse_malformed(message)
        refuse_oversize(message, MAX_MESSAGE_BYTES_DEFAULT)
    return await _insert(connection, messages, uuid7)


def insert_sql() -> str:
    """The statement append sends: the given messages, then the fragment."""
    return f"{statement('given_messages')}\n{insert_rows()}"


async def _insert(connection: "Connection", messages: Sequence[Message], new_id: Callable[[], UUID]) -> list[UUID]:
    driver = await _driver_in_transaction(connection)
    ids = [message.event_id or new_id() for message in messages]
    if messages:
        await driver.execute(insert_sql(), *_columns(ids, messages))
    return ids


def _columns(ids: list[UUID], messages: Sequence[Message]) -> tuple[list[Any], ...]:
    return (
        ids,
        [message.topic for message in messages],
        [message.key for message in messages],
        [message.version for message in messages],
        [message.type for message in messages],
        [message.occurred_at for message in messages],
        [json.dumps(dict(message.headers)) if message.headers else None for message in messages],
        [message.payload for message in messages],
    )


class _Driver(Protocol):
    """What append needs of asyncpg."""

    def is_in_transaction(self) -> bool: ...
    async def execute(self, query: str, *args: Any) -> str: ...


async def _driver_in_transaction(connection: Any) -> _Driver:
    """The asyncpg connection underneath, its transaction open for real.

    SQLAlchemy is known by its methods, so that the library does not import it. It opens the driver's transaction with
    the first statement, and never in AUTOCOMMIT mode: one harmless statement tells the two apart.
    """
    if hasattr(connection, "is_in_transaction"):
        driver = cast("_Driver", connection)
    else:
        driver = await _underneath_sqlalchemy(connection)
    if not driver.is_in_transaction():
        raise errors.NotInTransaction
    return driver


async def _underneath_sqlalchemy(connection: Any) -> _Driver:
    if not hasattr(connection, "sync_session") and not hasattr(connection, "get_raw_connection"):
        raise errors.NotAConnection(connection)
    if not connection.in_transaction():
        raise errors.NotInTransaction
    if hasattr(connection, "sync_session"):
        connection = await connection.connection()
    raw = await connection.get_raw_connection()
    driver = cast("_Driver", raw.driver_connection)
    if not hasattr(driver, "is_in_transaction"):
        raise errors.NotAConnection(driver)
    if not driver.is_in_transaction():
        await connection.exec_driver_sql("select 1")
    return driver
