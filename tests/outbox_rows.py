"""Rows as the reader hands them to a publisher, made by hand."""

import uuid
from datetime import UTC, datetime
from typing import Any

MOMENT = datetime(2026, 11, 21, 8, 0, 0, 123456, tzinfo=UTC)


def a_row(topic: str, seq: int, *, key: str = "42", payload: bytes = b"{}", **fields: Any) -> tuple[Any, ...]:
    """A row of the outbox; its version is its seq unless said otherwise."""
    given = {"event_id": uuid.uuid4(), "version": seq, "type": "order.paid", "headers": None, **fields}
    return (
        seq,
        given["event_id"],
        topic,
        key,
        given["version"],
        given["type"],
        MOMENT,
        given["headers"],
        payload,
    )
