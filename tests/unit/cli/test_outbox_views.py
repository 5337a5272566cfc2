"""How the outbox is shown to people and to programs."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from cli.outbox_views import counts, show_events, show_status, status_document
from cli.output import OutputFormat
from outbox.operations.look import StoredEvent
from outbox.operations.position import StoredCursor
from outbox.operations.status import Status
from outbox.snapshot import Snapshot

NOW = Status(
    cursor=StoredCursor(
        name="kafka",
        epoch=12,
        state="running",
        owned=True,
        lease_seconds_left=2.4,
        seen=Snapshot.parse("10:20:"),
        target=None,
        walked_seq=0,
        system_id="7300",
        timeline=1,
    ),
    waiting_rows=37,
    oldest_waiting_seconds=0.8,
    owner="relay-1",
    standbys=("relay-0",),
    partitions=9,
    ahead=47,
    rows_kept=1_204_331,
    hold_seconds=0.0,
)
EVENT = StoredEvent(
    seq=7,
    xid="20",
    event_id=UUID(int=1),
    topic="orders",
    key="42",
    version=3,
    type="order.paid",
    occurred_at=datetime(2026, 11, 21, 8, 0, tzinfo=UTC),
    headers={"ce_userid": "7"},
    payload=b"{}",
    sent=True,
    void=False,
)


def test_the_state_is_told_in_four_lines(capsys: pytest.CaptureFixture[str]) -> None:
    show_status(NOW)

    assert capsys.readouterr().out.splitlines() == [
        "backlog  37     oldest 0.8 s     SLO 2 s ✔",
        "relay    relay-1 owner (epoch 12, lease 2 s left) · relay-0 standby · held by: nobody",
        "cursor   running",
        "table    9 partitions · about 1,204,331 rows kept · 47 ahead",
    ]


def test_the_state_for_programs_keeps_its_names() -> None:
    assert status_document(NOW)["oldest_waiting_seconds"] == 0.8
    assert status_document(NOW)["standbys"] == ["relay-0"]


def test_events_are_a_line_each_or_documents(capsys: pytest.CaptureFixture[str]) -> None:
    show_events([EVENT], OutputFormat.TABLE)
    assert "order.paid" in capsys.readouterr().out

    show_events([EVENT], OutputFormat.JSON)
    [document] = json.loads(capsys.readouterr().out)
    assert (document["seq"], document["version"], document["payload"], document["state"]) == (7, 3, "{}", "sent")


def test_counts_are_words() -> None:
    assert counts({"orders": 2, "audit": 1}) == "1 of audit, 2 of orders"
    assert counts({}) == "nothing"
