"""What operators do: each is done with a trace, or refused by name."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY

from outbox import TopicRule, errors
from outbox.operations.look import latest, of_id, of_key
from outbox.operations.pause import pause, resume
from outbox.operations.republish import Selection, plan_republish, republish
from outbox.operations.reset import ResetTo, plan_reset, reset
from outbox.operations.status import status
from outbox.operations.void import void
from outbox.testing import FakeBroker, FakePublisher
from tests.given import Database
from tests.outbox_given import Connection, a_message, a_relay, commit, running
from tests.waiting import eventually

ORDERS = TopicRule("orders", versioned=True)
BECAUSE = "a test"


@pytest.fixture
def broker() -> FakeBroker:
    return FakeBroker()


def _versions(broker: FakeBroker) -> list[int]:
    return [int(record.headers["ce_sequence"]) for record in broker.records("orders")]


async def _publish_all(database: Database, broker: FakeBroker, connection: Connection, *versions: int) -> None:
    """Versions of key 42, sent and the cursor past them."""
    async with running(a_relay(database.dsn, broker, ORDERS)):
        for version in versions:
            await commit(connection, a_message("orders", version=version))
        await eventually(lambda: len(_versions(broker)) >= len(versions))


async def _audited(connection: Connection) -> list[tuple[str, str]]:
    rows = await connection.fetch("select action, reason from outbox_audit order by at")
    return [(row["action"], row["reason"]) for row in rows]


async def test_status_tells_what_waits_and_who_serves(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    await commit(connection, *[a_message("orders", version=version) for version in (1, 2, 3)])

    before = await status(connection)
    async with running(a_relay(outbox_database.dsn, broker, ORDERS, instance="relay-7")) as relay:
        await eventually(lambda: relay.relay.owns)
        async with running(a_relay(outbox_database.dsn, broker, ORDERS, instance="relay-8")):
            await eventually(lambda: _served_by(connection, "relay-7", ("relay-8",)))
            await eventually(lambda: _waiting(connection, 0))

    assert (before.waiting_rows, before.owner, before.standbys, before.ahead) == (3, None, (), 16)
    assert before.oldest_waiting_seconds is not None


async def _served_by(connection: Connection, owner: str, standbys: tuple[str, ...]) -> bool:
    now = await status(connection)
    return (now.owner, now.standbys) == (owner, standbys) and now.cursor.lease_seconds_left > 0


async def _waiting(connection: Connection, count: int) -> bool:
    return (await status(connection)).waiting_rows == count


async def test_a_keys_story_says_what_was_sent(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    await _publish_all(outbox_database, broker, connection, 1)
    await commit(connection, a_message("orders", version=2, headers={"ce_userid": "7"}), a_message("orders", key="1"))

    story = await of_key(connection, "42")
    last = await latest(connection, limit=1)

    assert [(event.version, event.sent, event.void) for event in story] == [(1, True, False), (2, False, False)]
    assert [event.key for event in last] in (["42"], ["1"])
    assert (await of_id(connection, story[1].event_id)).headers == {"ce_userid": "7"}
    with pytest.raises(errors.EventUnknown):
        await of_id(connection, uuid.uuid4())


async def test_a_voided_event_goes_out_without_its_body(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    await commit(connection, *[a_message("orders", version=version) for version in (1, 2, 3)])
    _, second, _ = await of_key(connection, "42")

    await void(connection, second.event_id, reason=BECAUSE)
    async with running(a_relay(outbox_database.dsn, broker, ORDERS)):
        await eventually(lambda: _versions(broker) == [1, 2, 3])

    assert [record.value for record in broker.records("orders")] == [b"42/1", None, b"42/3"]
    assert await _audited(connection) == [("void", BECAUSE)]


async def test_a_void_on_a_running_relay_is_honoured_at_the_next_read(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    async with running(a_relay(outbox_database.dsn, broker, ORDERS, backoff_seconds_max=0.05)) as relay:
        await eventually(lambda: relay.relay.owns)
        broker.away = True
        await commit(connection, a_message("orders", version=1))
        [event] = await of_key(connection, "42")

        await void(connection, event.event_id, reason=BECAUSE)
        broker.away = False

        await eventually(lambda: _versions(broker) == [1])
    assert [record.headers["ce_type"] for record in broker.records("orders")] == ["outbox.void"]


async def test_what_cannot_be_voided_is_refused(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    await _publish_all(outbox_database, broker, connection, 1)
    await commit(connection, a_message("orders", version=2))
    sent, waiting = await of_key(connection, "42")

    with pytest.raises(errors.EventUnknown):
        await void(connection, uuid.uuid4(), reason=BECAUSE)
    with pytest.raises(errors.EventAlreadySent):
        await void(connection, sent.event_id, reason=BECAUSE)
    with pytest.raises(errors.ReasonMissing):
        await void(connection, waiting.event_id, reason=" ")
    await void(connection, waiting.event_id, reason=BECAUSE)
    with pytest.raises(errors.EventAlreadyVoid):
        await void(connection, waiting.event_id, reason=BECAUSE)

    assert await _audited(connection) == [("void", BECAUSE)]


async def test_a_paused_relay_keeps_the_lease_and_sends_nothing_until_resumed(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    await pause(connection, reason=BECAUSE)
    async with running(a_relay(outbox_database.dsn, broker, ORDERS)) as relay:
        await eventually(lambda: relay.relay.owns)
        await commit(connection, a_message("orders", version=1))
        lease = await connection.fetchval("select lease_until from outbox_cursor")
        await eventually(lambda: _lease_moved(connection, lease))
        assert _versions(broker) == []

        await resume(connection, reason=BECAUSE)

        await eventually(lambda: _versions(broker) == [1])
        await pause(connection, reason=BECAUSE)
        await eventually(lambda: _gauge("outbox_paused") == 1)
    assert [action for action, _ in await _audited(connection)] == ["pause", "resume", "pause"]


async def _lease_moved(connection: Connection, than: datetime) -> bool:
    return bool(await connection.fetchval("select lease_until > $1 from outbox_cursor", than))


def _gauge(name: str) -> float | None:
    return REGISTRY.get_sample_value(name)


async def test_versions_of_a_key_are_sent_again(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    await _publish_all(outbox_database, broker, connection, 1, 2, 3, 4)
    await commit(connection, a_message("orders", version=5))
    selection = Selection(key="42", from_version=3, to_version=9)

    planned = await plan_republish(connection, selection)
    sent = await republish(connection, FakePublisher(broker, [ORDERS]), selection, reason=BECAUSE)

    assert planned == sent == {"orders": 2}
    assert _versions(broker) == [1, 2, 3, 4, 3, 4]
    assert await _audited(connection) == [("republish", BECAUSE)]


async def test_a_stretch_of_time_is_sent_again_in_order(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    await _publish_all(outbox_database, broker, connection, 1, 2, 3)
    moments = [event.occurred_at for event in await of_key(connection, "42")]
    selection = Selection(since=moments[1], until=moments[2] + timedelta(hours=1), topics=("orders",))

    await republish(connection, FakePublisher(broker, [ORDERS]), selection, reason=BECAUSE)

    assert _versions(broker) == [1, 2, 3, 2, 3]


def test_a_selection_is_by_key_or_by_time() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    for wrong in ({}, {"key": "42", "since": moment, "until": moment}, {"since": moment}):
        with pytest.raises(ValueError, match=r"select by key or by time|two ends"):
            Selection(**wrong)


@pytest.mark.parametrize(
    ("to", "from_seq", "planned", "sent_after"),
    [
        (ResetTo.NOW, 0, 0, [9]),
        (ResetTo.ALL, 0, 4, [1, 2, 3, 4, 9]),
        (ResetTo.FROM_SEQ, 3, 2, [3, 4, 9]),
        (ResetTo.KEEP, 0, 1, [4, 9]),
    ],
)
async def test_a_reset_cursor_goes_on_from_where_it_was_told(  # noqa: PLR0917 - fixtures and the table's columns
    outbox_database: Database,
    connection: Connection,
    broker: FakeBroker,
    to: ResetTo,
    from_seq: int,
    planned: int,
    sent_after: list[int],
) -> None:
    await _publish_all(outbox_database, broker, connection, 1, 2, 3)
    await commit(connection, a_message("orders", version=4))
    await connection.execute("update outbox_cursor set system_id = '1', state = 'needs_reset'")
    with pytest.raises(errors.CursorNeedsReset):
        await a_relay(outbox_database.dsn, broker, ORDERS).run()
    broker.create_topic("orders")

    plan = await plan_reset(connection, to, from_seq=from_seq)
    await reset(connection, plan, reason=BECAUSE)

    async with running(a_relay(outbox_database.dsn, broker, ORDERS)):
        await commit(connection, a_message("orders", version=9))
        await eventually(lambda: _versions(broker) == sent_after)
    assert plan.rows_to_send == planned
    assert await _audited(connection) == [("cursor reset", BECAUSE)]


async def test_a_reset_leaves_a_pause_to_the_operator_who_made_it(connection: Connection) -> None:
    await pause(connection, reason=BECAUSE)

    await reset(connection, await plan_reset(connection, ResetTo.NOW), reason=BECAUSE)

    assert await connection.fetchval("select state from outbox_cursor") == "paused"


async def test_a_stale_or_impossible_reset_is_refused(connection: Connection) -> None:
    plan = await plan_reset(connection, ResetTo.NOW)
    await connection.execute("update outbox_cursor set epoch = epoch + 1")

    with pytest.raises(errors.PlanStale):
        await reset(connection, plan, reason=BECAUSE)
    with pytest.raises(errors.CursorMissing):
        await plan_reset(connection, ResetTo.NOW, name="unheard-of")
    await connection.execute("update outbox_cursor set seen = '9000000000:9000000000:'")
    with pytest.raises(errors.PositionAhead):
        await plan_reset(connection, ResetTo.KEEP)

    assert await _audited(connection) == []


async def test_a_reset_fences_the_owner_which_goes_on_from_there(
    outbox_database: Database, connection: Connection, broker: FakeBroker
) -> None:
    async with running(a_relay(outbox_database.dsn, broker, ORDERS)):
        for version in (1, 2):
            await commit(connection, a_message("orders", version=version))
        await eventually(lambda: _versions(broker) == [1, 2])

        await reset(connection, await plan_reset(connection, ResetTo.ALL), reason=BECAUSE)

        await eventually(lambda: _versions(broker) == [1, 2, 1, 2])


async def test_the_audit_keeps_who_what_and_why(connection: Connection) -> None:
    await pause(connection, reason=BECAUSE)

    [row] = await connection.fetch("select * from outbox_audit")
    assert (row["by"], row["action"], row["reason"]) == ("postgres", "pause", BECAUSE)
    assert json.loads(row["details"]) == {"cursor": "kafka"}
