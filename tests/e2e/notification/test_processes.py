"""The service's commands as a person or a supervisor runs them."""

from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from events.topics import ORDER_EVENTS
from tests.given import StartKafka
from tests.notification_fixtures import Town
from tests.notification_processes import NotificationProcess, process, sender_settings
from tests.order_records import a_record, write, writing
from tests.waiting import eventually


@pytest.mark.faults
async def test_an_event_on_the_topic_becomes_a_message_on_the_phone(
    town: Town, own_kafka: StartKafka, tmp_path: Path
) -> None:
    kafka = own_kafka()
    await make_topics(kafka.bootstrap)
    chat = await town.link()
    reading = {
        "NOTIFICATION_DATABASE_URL": town.database.app_dsn,
        "NOTIFICATION_KAFKA_BOOTSTRAP": kafka.bootstrap,
        "NOTIFICATION_INSTANCE": "notification-consumer",
    }
    sending = sender_settings(town.database.app_dsn, town.telegram.url)

    with process("consumer", tmp_path, **reading) as consumer, process("sender", tmp_path, **sending) as sender:
        await consumer.ready()
        await sender.ready()
        async with writing(kafka.bootstrap) as producer:
            await write(producer, ORDER_EVENTS, a_record(42, 1, "new"), a_record(42, 2, "awaiting payment"))
            await eventually(lambda: town.accepted(chat), within=30)
            await write(producer, ORDER_EVENTS, a_record(42, 3, "paid"))
            await eventually(lambda: len(town.accepted(chat)) == 3, within=30)
        codes = (consumer.terminate(), sender.terminate())

    assert codes == (0, 0)
    assert [message["text"] for message in town.telegram.screen(chat)] == [
        "🧾 Order 42 · 3 items\n✅ Placed 14:03   ✅ Paid 14:03   ▫️ Assembled",
        "✅ Order 42 is paid.",
    ]
    for told in (consumer.log.read_text(), sender.log.read_text()):
        assert str(chat) not in told
        assert "Placed" not in told


@pytest.mark.parametrize("command", ["migrate", "consumer", "sender"])
def test_a_missing_setting_is_named_with_its_cure(command: str, tmp_path: Path) -> None:
    started = NotificationProcess(command, tmp_path / "log")
    started.start()

    assert started.wait() == 2
    assert "NOTIFICATION_DATABASE_URL is not set" in started.log.read_text()


def test_a_lease_shorter_than_its_calls_is_refused(tmp_path: Path) -> None:
    settings = sender_settings("postgresql://n:n@127.0.0.1:1/n", "http://127.0.0.1:1")
    started = NotificationProcess("sender", tmp_path / "log", **{**settings, "NOTIFICATION_LEASE_SECONDS": "1"})
    started.start()

    assert started.wait() == 2
    assert "must be at least twice" in started.log.read_text()


async def make_topics(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(ORDER_EVENTS, 2, 1), NewTopic(f"{ORDER_EVENTS}.dead", 1, 1)])
    finally:
        await admin.close()
