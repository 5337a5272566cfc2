"""One process of a scene, to be frozen and killed: `python -m tests.chaos.actor relay|consumer|writer JSON`.

Made of the libraries as they are; for a control run one part may be a planted mistake.
"""

import asyncio
import json
import logging
import random
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from inbox import Event, Limits, Runner, TopicPolicy
from inbox.application import Application
from outbox import Relay, TopicRule
from outbox.kafka import KafkaPublisher
from tests.chaos.load import Load, write
from tests.chaos.tables import Connection, leave_effects
from tests.chaos.waits import tell_on_request
from tests.planted.inbox_mistakes import KeepsWatermarksApart
from tests.planted.outbox_mistakes import AdvancesBeforeTheAnswer

CONSUMER = "ledger"
CONTROLS = ("PB-07", "PB-12")
"""Advance before ack, watermark in another transaction: either must end a run red."""

_LIMITS = Limits(
    session_timeout_seconds=6,
    rebalance_seconds_max=10,
    stop_seconds_max=3,
    retry_seconds_max=1,
    hint_every_seconds=0.5,
)
_DAWDLES = 0.05
"""The part of batches whose handler takes a moment, so that faults meet open transactions."""


async def relay(told: Mapping[str, Any]) -> None:
    """Publish until told to stop."""
    rule = TopicRule(told["topic"], versioned=True)
    right = KafkaPublisher(bootstrap_servers=told["bootstrap"], topics=(rule,), source="chaos")
    at_work = Relay(
        dsn=told["dsn"],
        bootstrap_servers=told["bootstrap"],
        topics=[rule],
        publisher=AdvancesBeforeTheAnswer(right) if told["control"] == "PB-07" else right,
        instance=told["name"],
        backoff_seconds_max=1.0,
    )
    _on_stop(at_work.request_stop)
    await at_work.run()


async def consumer(told: Mapping[str, Any]) -> None:
    """Apply until told to stop."""
    chance = random.Random(f"{told['seed']}/{told['name']}")

    async def handle(connection: Connection, events: Sequence[Event]) -> None:
        await leave_effects(connection, CONSUMER, events)
        if chance.random() < _DAWDLES:
            await connection.execute("select pg_sleep($1)", chance.uniform(0.1, 0.5))

    at_work = Runner(
        consumer=CONSUMER,
        topics=[TopicPolicy(told["topic"])],
        handler=handle,
        dsn=told["dsn"],
        bootstrap_servers=told["bootstrap"],
        group_id=f"{CONSUMER}-{told['topic']}",
        limits=_LIMITS,
        applications=partial(KeepsWatermarksApart, told["dsn"]) if told["control"] == "PB-12" else Application,
    )
    _on_stop(at_work.stop)
    await at_work.run()


async def writer(told: Mapping[str, Any]) -> None:
    """Write until told to stop."""
    stopping = asyncio.Event()
    _on_stop(stopping.set)
    await write(Load(**told), stopping)


ROLES: Mapping[str, Callable[[Mapping[str, Any]], Awaitable[None]]] = {
    "relay": relay,
    "consumer": consumer,
    "writer": writer,
}


def _on_stop(stop: Callable[[], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)


async def main(role: str, told: str) -> None:
    """Play a role."""
    tell_on_request()
    await ROLES[role](json.loads(told))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    asyncio.run(main(*sys.argv[1:]))
