"""Where records without a usable key go: the same truths of Kafka and of the drawer in memory."""

import pytest
from aiokafka.errors import KafkaError

from inbox.dead_letters import DeadLetters, KafkaDeadLetters
from inbox.event import Keyless, read
from inbox.testing import MemoryDeadLetters, MemoryRecord
from tests.given import MakeTopic, SharedKafka
from tests.integration.inbox.world import records_of


def a_keyless_record() -> Keyless:
    record = MemoryRecord("orders", 1, 7, 0, b"\xff", b"body", [("n", b"\x00")])
    reading = read(record, versioned=True)
    assert isinstance(reading, Keyless)
    return reading


@pytest.mark.parametrize("kind", ["memory", "kafka"])
async def test_what_is_sent_is_there_once_with_its_bytes(kind: str, kafka: SharedKafka, topic: MakeTopic) -> None:
    dead = await topic("orders.dead")
    memory = MemoryDeadLetters()
    letters: DeadLetters = (
        memory if kind == "memory" else KafkaDeadLetters(bootstrap_servers=kafka.bootstrap, options={})
    )

    await letters.send(dead, a_keyless_record(), consumer="notification")
    await letters.close()

    if kind == "memory":
        ((where, keyless, _),) = memory.sent
        kept = keyless.record
    else:
        (kept,) = await records_of(kafka.bootstrap, dead)
        where = kept.topic
    assert where == dead
    assert (kept.key, kept.value, kept.headers[0]) == (b"\xff", b"body", ("n", b"\x00"))


async def test_a_topic_that_is_missing_is_an_error_and_no_obstacle_to_the_next(
    kafka: SharedKafka, topic: MakeTopic
) -> None:
    dead = await topic("orders.dead")
    letters = KafkaDeadLetters(bootstrap_servers=kafka.bootstrap, options={"request_timeout_ms": 1_000})

    with pytest.raises(KafkaError):
        await letters.send("nowhere.dead", a_keyless_record(), consumer="notification")
    await letters.send(dead, a_keyless_record(), consumer="notification")
    await letters.close()

    assert len(await records_of(kafka.bootstrap, dead)) == 1


@pytest.mark.parametrize(
    "letters", [MemoryDeadLetters(), KafkaDeadLetters(bootstrap_servers="127.0.0.1:1", options={})]
)
async def test_closing_what_was_never_used_is_safe(letters: DeadLetters) -> None:
    await letters.close()
    await letters.close()
