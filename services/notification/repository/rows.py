"""From rows of the database to what the domain speaks of."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from services.notification.domain.change import Status
from services.notification.domain.lane import Card, Head, Subscriber
from services.notification.domain.notification import Call, Notification, State, Step

Row = Mapping[str, Any] | asyncpg.Record


def head(rows: Sequence[Row]) -> Head:
    """Read the rows of one order, as `read_heads` returns them."""
    return Head(
        rows=tuple(notification(row) for row in rows),
        subscriber=_subscriber(rows[0]),
        card=_card(rows[0]),
        muted=rows[0]["muted"],
    )


def notification(row: Row) -> Notification:
    """Read one row of the ledger."""
    return Notification(
        order_id=row["order_id"],
        version=row["version"],
        user_id=row["user_id"],
        chat_id=row["chat_id"],
        status=Status(row["status"]),
        items=row["items"],
        audible=row["audible"],
        moment=row["moment"],
        state=State(row["state"]),
        card=Step(row["card_step"]),
        alert=Step(row["alert_step"]),
        call=None if row["call"] is None else Call(row["call"]),
        epoch=row["epoch"],
        attempts=row["attempts"],
        lost_edits=row["lost_edits"],
        plain=row["plain"],
        reason=row["reason"],
        traceparent=row["traceparent"],
    )


def _subscriber(row: Row) -> Subscriber | None:
    if row["linked_chat_id"] is None:
        return None
    return Subscriber(
        user_id=row["user_id"], chat_id=row["linked_chat_id"], language=row["language"], active=row["active"]
    )


def _card(row: Row) -> Card | None:
    if row["card_chat_id"] is None:
        return None
    return Card(chat_id=row["card_chat_id"], message_id=row["message_id"], shown_version=row["shown_version"])
