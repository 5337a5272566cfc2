"""Whose fault an exception is: the surroundings' (undo, wait, try again) or the event's (find it, park its key)."""

from __future__ import annotations

import asyncpg
from aiokafka.errors import KafkaError

from inbox.errors import TryAgain

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


def fault_of_surroundings(error: BaseException) -> bool:
    """Tell whether trying again later can help; True never costs an event, it only costs time."""
    if isinstance(error, TryAgain):
        return True
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "").startswith(_SURROUNDINGS)
    return isinstance(error, OSError | TimeoutError | KafkaError | asyncpg.InterfaceError | asyncpg.InternalClientError)
