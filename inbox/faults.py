"""Whose fault an exception is: the surroundings' (undo, wait, try again) or the event's (find it, park its key)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
from aiokafka.errors import KafkaError

from inbox.errors import Reject, TryAgain

if TYPE_CHECKING:
    from collections.abc import Iterator

_SURROUNDINGS = (
    "08",
    "25006",
    "25P03",
    "25P04",
    "26",
    "28",
    "3D",
    "3F",
    "40",
    "42",
    "53",
    "55",
    "57",
    "58",
    "F0",
    "XX",
)
"""Beginnings of SQLSTATEs no event can cause: connections, a standby, a killed transaction, a pooler's lost statement,
rights, conflicts, missing tables and columns (a migration under way, a wrong grant), resources, locks, shutdowns, the
system. What is left is about data: 22 (values), 23 (constraints), P0 (raised by a function)."""


_AWAY = (TryAgain, OSError, TimeoutError, KafkaError, asyncpg.InterfaceError, asyncpg.InternalClientError)


def fault_of_surroundings(error: BaseException) -> bool:
    """Tell whether trying again later can help; True never costs an event, it only costs time.

    An exception is also what it was raised from (`raise … from`), and a group is the surroundings' if one of its
    members is: what else is in it shows when that one is gone. A Reject is about its event, whatever it came from.
    """
    return any(_is_away(each) for each in _told_by(error))


def reason_of(error: BaseException) -> str:
    """Say why an event was refused: the handler's own words, or what it stumbled over."""
    for each in _told_by(error):
        if isinstance(each, Reject):
            return each.reason
    return f"{type(error).__name__}: {error}"


def _is_away(error: BaseException) -> bool:
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "").startswith(_SURROUNDINGS)
    return isinstance(error, _AWAY)


def _told_by(error: BaseException) -> Iterator[BaseException]:
    """Go through an exception, its causes, and the members of groups; each once."""
    told: set[int] = set()
    ahead: list[BaseException | None] = [error]
    while ahead:
        each = ahead.pop()
        if each is None or id(each) in told:
            continue
        told.add(id(each))
        yield each
        if isinstance(each, BaseExceptionGroup):
            ahead.extend(each.exceptions)
        if not isinstance(each, Reject | asyncpg.PostgresError):
            ahead.append(each.__cause__)
