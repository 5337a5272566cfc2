"""Our relay as one of two: stands by, owns when it can, says when its first event was acknowledged, heeds SIGTERM.

Config: dsn, bootstrap, topic, instance.
"""

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Sequence

from bench.programs.parent import Config, Parent, run
from outbox import Relay, TopicRule
from outbox.kafka import KafkaPublisher
from outbox.publisher import Publisher, Stamp
from outbox.rows import Row


class Announced:
    """A publisher around the real one, which says once that an event was acknowledged."""

    def __init__(self, publisher: Publisher, acknowledged: Callable[[], None]) -> None:
        self._publisher = publisher
        self._acknowledged = acknowledged
        self._said = False

    async def open(self) -> None:
        """As Publisher.open."""
        await self._publisher.open()

    async def publish(self, rows: Sequence[Row], stamp: Stamp) -> None:
        """As Publisher.publish."""
        await self._publisher.publish(rows, stamp)
        if not self._said:
            self._said = True
            self._acknowledged()

    async def discard(self) -> None:
        """As Publisher.discard."""
        await self._publisher.discard()


async def main(config: Config, parent: Parent) -> None:
    """Run until a signal, or until the parent has no more to say."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    rules = [TopicRule(config["topic"], versioned=True)]
    relay = Relay(
        dsn=config["dsn"],
        bootstrap_servers=config["bootstrap"],
        topics=rules,
        source="bench",
        instance=config["instance"],
        publisher=Announced(
            KafkaPublisher(bootstrap_servers=config["bootstrap"], topics=rules, source="bench"),
            lambda: parent.say("acknowledged", at=time.monotonic_ns()),
        ),
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, relay.request_stop)
    running, ending = asyncio.ensure_future(relay.run()), asyncio.ensure_future(parent.word())
    await asyncio.wait((running, ending), return_when=asyncio.FIRST_COMPLETED)
    relay.request_stop()
    await running


if __name__ == "__main__":
    run(main)
