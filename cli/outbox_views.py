"""How rows and the state of the outbox are shown."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from cli.output import OutputFormat, answers, show_json, show_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from outbox.operations.look import StoredEvent
    from outbox.operations.status import Status

SLO_SECONDS = 2.0


def show_status(now: Status) -> None:
    """The state of the outbox in four lines."""
    oldest = now.oldest_waiting_seconds or 0.0
    owner = now.owner or ("an unnamed relay" if now.cursor.owned else "nobody")
    standbys = "".join(f" · {name} standby" for name in now.standbys)
    lease = f"epoch {now.cursor.epoch}, lease {now.cursor.lease_seconds_left:.0f} s left"
    verdict = "✔" if oldest <= SLO_SECONDS else "✘"
    for line in (
        f"backlog  {now.waiting_rows:,}     oldest {oldest:.1f} s     SLO {SLO_SECONDS:.0f} s {verdict}",
        f"relay    {owner} owner ({lease}){standbys} · held by: {_hold(now)}",
        f"cursor   {now.cursor.state.replace('_', ' ')}",
        f"table    {now.partitions} partitions · about {now.rows_kept:,} rows kept · {now.ahead} ahead",
    ):
        answers().print(line, markup=False)


def _hold(now: Status) -> str:
    return f"a transaction open for {now.hold_seconds:.0f} s" if now.hold_seconds >= 1 else "nobody"


def status_document(now: Status) -> dict[str, object]:
    """The state of the outbox for programs."""
    return {
        "cursor": now.cursor.name,
        "state": now.cursor.state,
        "epoch": now.cursor.epoch,
        "owner": now.owner,
        "standbys": list(now.standbys),
        "lease_seconds_left": now.cursor.lease_seconds_left,
        "waiting_rows": now.waiting_rows,
        "oldest_waiting_seconds": now.oldest_waiting_seconds,
        "partitions": now.partitions,
        "partitions_ahead": now.ahead,
        "rows_kept": now.rows_kept,
        "hold_seconds": now.hold_seconds,
    }


def show_events(events: Sequence[StoredEvent], output: OutputFormat) -> None:
    """Rows of the outbox, a line each."""
    if output is OutputFormat.JSON:
        show_json([event_document(event) for event in events])
        return
    columns = ("seq", "at", "topic", "key", "version", "type", "event", "state")
    show_table(columns, [_event_row(event) for event in events])


def _event_row(event: StoredEvent) -> tuple[object, ...]:
    at = event.occurred_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return event.seq, at, event.topic, event.key, event.version, event.type, event.event_id, _state(event)


def event_document(event: StoredEvent) -> dict[str, object]:
    """A row of the outbox for programs."""
    return {
        "seq": event.seq,
        "xid": event.xid,
        "event_id": str(event.event_id),
        "topic": event.topic,
        "key": event.key,
        "version": event.version,
        "type": event.type,
        "occurred_at": event.occurred_at.isoformat(),
        "headers": dict(event.headers),
        "payload": event.payload.decode(errors="replace"),
        "state": _state(event),
    }


def _state(event: StoredEvent) -> str:
    if event.void:
        return "void"
    return "sent" if event.sent else "waiting"


def counts(by_topic: Mapping[str, int]) -> str:
    """How many rows of which topic, in words."""
    return ", ".join(f"{count} of {topic}" for topic, count in sorted(by_topic.items())) or "nothing"
