"""Our relay, as a service runs it: the library with its defaults, on uvloop.

Config: dsn, bootstrap, topic; acks (optional) = where to write the moments of acknowledgement.
"""

import asyncio
import logging

from bench.events import Sightings
from bench.programs.acknowledged import Acknowledged
from bench.programs.parent import Config, Parent, run
from chassis.memory import spare_the_long_lived
from outbox import Relay, TopicRule
from outbox.kafka import KafkaPublisher


async def main(config: Config, parent: Parent) -> None:
    """Be ready, run at the first word, stop at the second."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("aiokafka").setLevel(logging.WARNING)
    rules = [TopicRule(config["topic"], versioned=True)]
    sightings = Sightings()
    publisher = KafkaPublisher(bootstrap_servers=config["bootstrap"], topics=rules, source="bench")
    relay = Relay(
        dsn=config["dsn"],
        bootstrap_servers=config["bootstrap"],
        topics=rules,
        source="bench",
        publisher=Acknowledged(publisher, sightings) if "acks" in config else publisher,
    )
    spare_the_long_lived()
    parent.say("ready")
    await parent.word()
    running = asyncio.create_task(relay.run())
    await parent.word()
    relay.request_stop()
    await running
    if "acks" in config:
        sightings.save(config["acks"])


if __name__ == "__main__":
    run(main)
