"""What the consumer refuses before any database is asked."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from inbox import Event, Reject
from services.notification import bootstrap


async def test_an_event_without_a_version_is_rejected() -> None:
    event = Event(
        topic="loms.order-events",
        partition=0,
        offset=0,
        key="42",
        version=None,
        event_id=uuid4(),
        type="order.new",
        occurred_at=datetime(2026, 11, 21, tzinfo=UTC),
        headers={"ce_userid": "7"},
        payload=b'{"order_id": 42, "status": "new", "moment": "2026-11-21T08:00:00.123456Z"}',
    )

    with pytest.raises(Reject, match="the event has no version"):
        await bootstrap.order_events()(None, [event])  # type: ignore[arg-type]  # the connection is not reached
