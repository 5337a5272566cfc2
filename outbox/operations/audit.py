"""The trace every change by an operator leaves."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from outbox import errors
from outbox.statements import statement

if TYPE_CHECKING:
    import asyncpg


async def record(
    connection: "asyncpg.Connection[Any]", action: str, reason: str, details: Mapping[str, object]
) -> None:
    """Write the audit row, in the caller's transaction.

    Raises:
        errors.ReasonMissing: the reason is blank.
    """
    if not reason.strip():
        raise errors.ReasonMissing(action)
    await connection.execute(statement("insert_audit"), action, reason, json.dumps(details, default=str))
