"""`python -m outbox …` does what the library's functions do, and says it in exit codes."""

import asyncio
import sys

import pytest

from outbox import TopicRule
from outbox.__main__ import main
from outbox.operations.look import of_key
from outbox.testing import FakeBroker
from tests.given import Database, MakeTopic, SharedKafka
from tests.outbox_given import WRITER_ROLE, Connection, a_message, a_relay, commit, read_topic, running, versions_of
from tests.waiting import eventually

ORDERS = TopicRule("orders", versioned=True)


async def _run(database: Database, *arguments: str) -> int:
    return await asyncio.to_thread(main, [arguments[0], "--dsn", database.dsn, *arguments[1:]])


async def _sent_to_memory(database: Database, connection: Connection, topic: str) -> None:
    """Two events the cursor is past, none of them in Kafka."""
    broker = FakeBroker()
    async with running(a_relay(database.dsn, broker, TopicRule(topic, versioned=True))):
        await commit(connection, *[a_message(topic, version=version) for version in (1, 2)])
        await eventually(lambda: len(broker.records(topic)) == 2)


async def test_looking_commands_answer(
    outbox_database: Database, connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    await commit(connection, a_message("orders", headers={"ce_userid": "7"}))
    [event] = await of_key(connection, "42")

    codes = [
        await _run(outbox_database, "status"),
        await _run(outbox_database, "tail"),
        await _run(outbox_database, "list", "42"),
        await _run(outbox_database, "show", str(event.event_id)),
        await _run(outbox_database, "partitions"),
    ]

    said = capsys.readouterr().out
    assert codes == [0, 0, 0, 0, 0]
    assert "backlog    1, oldest" in said
    assert f"orders 42 v1 order.new {event.event_id} waiting" in said
    assert "header ce_userid: 7" in said
    assert "outbox_0 [0, 4194304)" in said


async def test_check_fails_with_three_when_something_is_wrong(
    outbox_database: Database, connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    await connection.execute("alter sequence outbox_seq cache 50")

    code = await _run(outbox_database, "check", "--writer-role", WRITER_ROLE)

    assert code == 3
    assert "cure: alter sequence outbox_seq cache 1" in capsys.readouterr().out


async def test_what_is_refused_exits_with_four(
    outbox_database: Database, connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    await commit(connection, a_message("orders"))
    [event] = await of_key(connection, "42")
    void = ("void", str(event.event_id), "--reason", "a test")

    assert [await _run(outbox_database, *void) for _ in range(2)] == [0, 4]
    assert "is void already" in capsys.readouterr().err


async def test_pause_and_resume_change_the_state(outbox_database: Database, connection: Connection) -> None:
    state = "select state from outbox_cursor"

    assert await _run(outbox_database, "pause", "--reason", "a test") == 0
    assert await connection.fetchval(state) == "paused"
    assert await _run(outbox_database, "resume", "--reason", "a test") == 0
    assert await connection.fetchval(state) == "running"


async def test_a_reset_is_planned_and_done_only_when_told(
    outbox_database: Database, connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    await commit(connection, a_message("orders"))
    arguments = ("cursor-reset", "all", "--reason", "a test")

    assert await _run(outbox_database, *arguments) == 0
    assert await connection.fetchval("select epoch from outbox_cursor") == 0
    assert await _run(outbox_database, *arguments, "--execute") == 0

    assert await connection.fetchval("select epoch from outbox_cursor") == 1
    assert "1 rows to send" in capsys.readouterr().out


async def test_rows_are_republished_to_kafka_when_told(
    outbox_database: Database, connection: Connection, kafka: SharedKafka, topic: MakeTopic
) -> None:
    orders = await topic("orders")
    await _sent_to_memory(outbox_database, connection, orders)
    where = ("--bootstrap", kafka.bootstrap, "--topic", f"{orders}:versioned", "--reason", "a test")

    assert await _run(outbox_database, "republish", "--key", "42", *where) == 0
    assert await _run(outbox_database, "republish", "--key", "42", "--from", "2", *where, "--execute") == 0

    records = await read_topic(kafka.bootstrap, orders, until=lambda found: len(found) >= 1)
    assert versions_of(records, "42") == [2]


async def test_republish_sends_only_the_topics_it_names(
    outbox_database: Database,
    connection: Connection,
    kafka: SharedKafka,
    topic: MakeTopic,
    capsys: pytest.CaptureFixture[str],
) -> None:
    orders, audit = await topic("orders"), await topic("audit")
    await _sent_to_memory(outbox_database, connection, orders)
    await _sent_to_memory(outbox_database, connection, audit)
    where = ("--bootstrap", kafka.bootstrap, "--topic", f"{audit}:versioned", "--reason", "a test", "--execute")

    assert await _run(outbox_database, "republish", "--key", "42", *where) == 0

    assert capsys.readouterr().out == f"sent again: 2 of {audit}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("check", "--topic", "orders"), "--topic needs --bootstrap"),
        (("show", "seven"), "invalid UUID value: 'seven'"),
        (("republish", "--bootstrap", "h:1", "--topic", "orders", "--reason", "x"), "--key K"),
    ],
)
def test_half_a_command_is_a_usage_error(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([arguments[0], "--dsn", "postgresql://u@127.0.0.1:1/x", *arguments[1:]])

    assert ended.value.code == 2
    assert said in capsys.readouterr().err


async def test_a_broker_or_a_server_that_is_away_is_named_with_its_flag(
    outbox_database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    away = ("--bootstrap", "127.0.0.1:1", "--topic", "orders")

    assert await _run(outbox_database, "check", *away) == 1
    assert "Kafka at 127.0.0.1:1 (--bootstrap)" in capsys.readouterr().err
    assert await asyncio.to_thread(main, ["status", "--dsn", "postgresql://own:secret@127.0.0.1:1/shop"]) == 1
    assert "no connection to own@127.0.0.1:1/shop (--dsn)" in capsys.readouterr().err


async def test_missing_tables_name_their_installation(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert await _run(database, "status") == 1
    assert "install-sql" in capsys.readouterr().err


async def test_partitions_are_rebuilt_only_when_needed(
    outbox_database: Database, connection: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await _run(outbox_database, "partitions", "rebuild", "--execute", "--reason", "a look") == 0
    await connection.execute("drop table outbox_0")
    assert await _run(outbox_database, "partitions", "rebuild") == 0
    assert await _run(outbox_database, "partitions", "rebuild", "--execute", "--reason", "restored") == 0

    said = capsys.readouterr().out
    assert ("rebuild not needed" in said, "planned only" in said, "rebuilt; 0 rows" in said) == (True, True, True)
    await commit(connection, a_message("orders"))
    assert [tuple(row) for row in await connection.fetch("select action, reason from outbox_audit")] == [
        ("partitions rebuild", "restored")
    ]


async def test_a_relay_that_needs_an_operator_exits_with_78(outbox_database: Database) -> None:
    where = ["--dsn", outbox_database.dsn, "--bootstrap", "127.0.0.1:1", "--topic", "orders", "--name", "none"]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "outbox", "relay", *where, stderr=asyncio.subprocess.PIPE
    )

    _, said = await asyncio.wait_for(process.communicate(), 30)

    assert process.returncode == 78
    assert b"no cursor named 'none'" in said


def test_the_installation_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install-sql", "--writer-role", "app", "--owner-role", "own"]) == 0

    said = capsys.readouterr().out
    assert said.startswith('set role "own";')
    assert 'grant select, insert on outbox to "app";' in said


def test_an_unknown_command_is_a_usage_error() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["dance"])

    assert ended.value.code == 2
