"""The consumer all contestants share: writes down when each event arrived.

One client per partition, so that the broker answers each fetch the moment there is something in it; a client of many
partitions would wait for the others. Config: bootstrap, topic, starts (offset by partition), want (how many different
events), out.
"""

import asyncio
import time

from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.events import Sightings, number_of
from bench.programs.parent import Config, Parent, run


async def main(config: Config, parent: Parent) -> None:
    """Be ready, say when the first event is there and when the wanted ones are; stop when told."""
    sightings, first, done = Sightings(), asyncio.Event(), asyncio.Event()
    seen: set[int] = set()
    consumers = [await _reading(config, int(partition), start) for partition, start in config["starts"].items()]

    async def note(consumer: AIOKafkaConsumer) -> None:
        while True:
            for records in (await consumer.getmany(timeout_ms=1_000)).values():
                now = time.monotonic_ns()
                for record in records:
                    number = number_of(record.value)
                    sightings.add(number, now)
                    seen.add(number)
                first.set()
                if len(seen) >= config["want"]:
                    done.set()

    async def tell() -> None:
        await first.wait()
        parent.say("first")
        await done.wait()
        parent.say("done")

    tasks = [asyncio.create_task(work) for work in (*map(note, consumers), tell())]
    parent.say("ready")
    await parent.word()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for consumer in consumers:
        await consumer.stop()
    sightings.save(config["out"])


async def _reading(config: Config, partition: int, start: int) -> AIOKafkaConsumer:
    consumer = AIOKafkaConsumer(bootstrap_servers=config["bootstrap"], group_id=None, enable_auto_commit=False)
    await consumer.start()
    at = TopicPartition(config["topic"], partition)
    consumer.assign([at])
    consumer.seek(at, start)
    return consumer


if __name__ == "__main__":
    run(main)
