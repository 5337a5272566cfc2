"""The operators' commands of `python -m outbox`: plain lines, one fact each, easy to read and to grep."""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from outbox.kafka import KafkaPublisher
from outbox.message import TopicRule
from outbox.operations import look
from outbox.operations.check import check
from outbox.operations.check_topics import check_topics
from outbox.operations.layout import read_layout
from outbox.operations.pause import pause, resume
from outbox.operations.republish import Selection, plan_republish, republish
from outbox.operations.reset import ResetTo, plan_reset, reset
from outbox.operations.status import status
from outbox.operations.void import void
from outbox.rebuild import plan_rebuild, rebuild

if TYPE_CHECKING:
    import asyncpg

    Connection = asyncpg.Connection[Any]

EXIT_OK = 0
EXIT_CHECK_FAILED = 3
_PLANNED = "planned only; --execute does it"


def topic_rules(given: argparse.Namespace) -> list[TopicRule]:
    """The rules the command line names: NAME or NAME:versioned."""
    parts = [text.partition(":") for text in given.topic]
    return [TopicRule(name, versioned=kind == "versioned", max_bytes=given.max_bytes) for name, _, kind in parts]


async def show_status(connection: "Connection", given: argparse.Namespace) -> int:
    """How the outbox is doing."""
    now = await status(connection, given.name)
    oldest = "–" if now.oldest_waiting_seconds is None else f"{now.oldest_waiting_seconds:.1f} s"
    _say(f"backlog    {now.waiting_rows}, oldest {oldest}")
    owner = now.owner or ("unnamed" if now.cursor.owned else "nobody")
    _say(f"relay      {owner} owns (epoch {now.cursor.epoch}, lease {now.cursor.lease_seconds_left:.1f} s)")
    _say(f"standby    {', '.join(now.standbys) or 'none'}")
    _say(f"cursor     {now.cursor.state}, seen {now.cursor.seen.text}")
    _say(f"table      {now.partitions} partitions, {now.ahead} ahead, about {now.rows_kept} rows kept")
    _say(f"held       oldest open transaction {now.hold_seconds:.1f} s")
    return EXIT_OK


async def show_latest(connection: "Connection", given: argparse.Namespace) -> int:
    """The last rows."""
    for event in await look.latest(connection, limit=given.limit, name=given.name):
        _say(_line(event))
    return EXIT_OK


async def show_key(connection: "Connection", given: argparse.Namespace) -> int:
    """The rows of a key."""
    for event in await look.of_key(connection, given.key, limit=given.limit, name=given.name):
        _say(_line(event))
    return EXIT_OK


async def show_event(connection: "Connection", given: argparse.Namespace) -> int:
    """Everything about one event."""
    event = await look.of_id(connection, given.event_id, name=given.name)
    _say(_line(event))
    _say(f"xid {event.xid}")
    for name, value in event.headers.items():
        _say(f"header {name}: {value}")
    _say(f"payload {event.payload!r}")
    return EXIT_OK


async def show_check(connection: "Connection", given: argparse.Namespace) -> int:
    """Every finding with its cure; fails when there is one."""
    findings = await check(connection, writer_role=given.writer_role, name=given.name)
    if given.bootstrap and given.topic:
        findings += await check_topics(given.bootstrap, topic_rules(given))
    for finding in findings:
        _say(f"{finding.severity}: {finding.subject}: {finding.fact}\n  cure: {finding.cure}")
    if not findings:
        _say("everything is as the code relies on")
    return EXIT_CHECK_FAILED if findings else EXIT_OK


async def do_void(connection: "Connection", given: argparse.Namespace) -> int:
    """Withdraw an event."""
    await void(connection, given.event_id, reason=given.reason, name=given.name)
    _say(f"void {given.event_id}")
    return EXIT_OK


async def do_pause(connection: "Connection", given: argparse.Namespace) -> int:
    """Stop publishing."""
    await pause(connection, reason=given.reason, name=given.name)
    _say("paused")
    return EXIT_OK


async def do_resume(connection: "Connection", given: argparse.Namespace) -> int:
    """Publish again."""
    await resume(connection, reason=given.reason, name=given.name)
    _say("resumed")
    return EXIT_OK


async def do_republish(connection: "Connection", given: argparse.Namespace) -> int:
    """Plan, or send rows again."""
    selection = Selection(
        key=given.key,
        from_version=given.from_version,
        to_version=given.to_version,
        since=given.since,
        until=given.until,
        topics=tuple(rule.name for rule in topic_rules(given)),
    )
    if not given.execute:
        planned = await plan_republish(connection, selection, name=given.name)
        _say(f"would send again: {_counts(planned)}; {_PLANNED}")
        return EXIT_OK
    publisher = KafkaPublisher(bootstrap_servers=given.bootstrap, topics=topic_rules(given), source=given.source)
    try:
        sent = await republish(connection, publisher, selection, reason=given.reason, name=given.name)
    finally:
        await publisher.discard()
    _say(f"sent again: {_counts(sent)}")
    return EXIT_OK


async def do_reset(connection: "Connection", given: argparse.Namespace) -> int:
    """Plan, or reset the cursor."""
    plan = await plan_reset(connection, ResetTo(given.to), from_seq=given.from_seq or 0, name=given.name)
    _say(f"cursor {plan.cursor} ({plan.state}, epoch {plan.epoch}) to {plan.to}: {plan.rows_to_send} rows to send")
    if given.execute:
        _say(f"reset; epoch {await reset(connection, plan, reason=given.reason)}")
    else:
        _say(_PLANNED)
    return EXIT_OK


async def do_partitions(connection: "Connection", given: argparse.Namespace) -> int:
    """List the partitions, or make them anew around the current xid."""
    if given.action == "rebuild":
        return await _rebuild(connection, given)
    layout = await read_layout(connection)
    for piece in (*layout.ranges, *filter(None, (layout.near, layout.far)), *layout.pending):
        _say(f"{piece.name} [{piece.lower}, {piece.upper}){' detach pending' if piece.pending else ''}")
    return EXIT_OK


async def _rebuild(connection: "Connection", given: argparse.Namespace) -> int:
    plan = await plan_rebuild(connection)
    needed = "needed" if plan.needed else "not needed"
    _say(f"rebuild {needed}: current xid {plan.current_xid}, {plan.rows} rows would be taken over")
    if given.execute and plan.needed:
        taken = await rebuild(connection, reason=given.reason)
        _say(f"rebuilt; {taken} rows taken over; now reset the cursor")
    elif plan.needed:
        _say(_PLANNED)
    return EXIT_OK


def _line(event: look.StoredEvent) -> str:
    state = "void" if event.void else "sent" if event.sent else "waiting"
    version = "–" if event.version is None else event.version
    at = event.occurred_at.isoformat(timespec="milliseconds")
    return f"{event.seq} {at} {event.topic} {event.key} v{version} {event.type} {event.event_id} {state}"


def _counts(by_topic: Any) -> str:
    return ", ".join(f"{count} of {topic}" for topic, count in sorted(by_topic.items())) or "nothing"


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
