"""What Faust hands out is dealt with or ends the process: Faust alone would drop it and go on."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaProducer

from events.create import create_topics
from events.topics import ORDER_EVENTS
from services.projection.consumers.order_events import Record
from services.projection.consumers.reader import FaustReader, NotReading
from services.projection.service.projection import Projection
from tests.given import SharedKafka
from tests.waiting import eventually


class Handed:
    """Keeps what it is handed; raises at a value it was told of."""

    def __init__(self, *, refused: bytes = b"") -> None:
        self.values: list[bytes | None] = []
        self._refused = refused

    async def __call__(self, record: Record) -> None:
        self.values.append(record.value)
        if record.value == self._refused:
            raise ConnectionError("nowhere to set it aside")


@pytest.fixture
async def producer(kafka: SharedKafka) -> AsyncIterator[AIOKafkaProducer]:
    await create_topics(kafka.bootstrap)
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
        yield producer


def reader_of(kafka: SharedKafka, projection: Projection, handed: Handed) -> FaustReader:
    return FaustReader(bootstrap_servers=kafka.bootstrap, instance="test", projection=projection, handle=handed)


async def test_all_that_was_there_is_read_at_every_beginning(kafka: SharedKafka, producer: AIOKafkaProducer) -> None:
    mine = [str(uuid.uuid4()).encode() for _ in range(3)]
    for value in mine:
        await producer.send_and_wait(ORDER_EVENTS, key=b"0", value=value)
    projection, handed = Projection(), Handed()
    reader = reader_of(kafka, projection, handed)

    with pytest.raises(NotReading):
        await reader.check()
    await reader.start()
    try:
        await eventually(lambda: projection.records_missing == 0, within=30)
        await reader.check()
        first = [value for value in handed.values if value in mine]
        await reader.rebuild()
        await eventually(lambda: projection.records_missing == 0, within=30)
    finally:
        await reader.stop()

    assert first == mine
    assert [value for value in handed.values if value in mine] == [*mine, *mine]


async def test_a_record_that_fails_ends_the_reading_and_nothing_behind_it_is_read(
    kafka: SharedKafka, producer: AIOKafkaProducer
) -> None:
    refused, behind = (str(uuid.uuid4()).encode() for _ in range(2))
    for value in (refused, behind):
        await producer.send_and_wait(ORDER_EVENTS, key=b"0", value=value)
    projection, handed = Projection(), Handed(refused=refused)
    reader = reader_of(kafka, projection, handed)

    await reader.start()
    try:
        with pytest.raises(ConnectionError):
            async with asyncio.timeout(30):
                await reader.watch()
    finally:
        await reader.stop()

    assert projection.records_missing > 0
    assert behind not in handed.values
