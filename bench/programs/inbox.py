"""Our inbox, as a service runs it: the library with its defaults, on uvloop; the handler writes one statement a batch.

Config: dsn, bootstrap, topic, consumer.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.programs.parent import Config, Parent, run
from bench.statements import statement
from chassis.memory import spare_the_long_lived
from inbox import Event, Runner, TopicPolicy

if TYPE_CHECKING:
    import asyncpg


async def main(config: Config, parent: Parent) -> None:
    """Be ready, apply from the first word on, stop at the second."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")

    async def apply(connection: "asyncpg.Connection[asyncpg.Record]", events: Sequence[Event]) -> None:
        await connection.execute(
            statement("apply_effects"),
            config["consumer"],
            [event.key for event in events],
            [event.version for event in events],
        )

    runner = Runner(
        consumer=config["consumer"],
        topics=[TopicPolicy(config["topic"])],
        handler=apply,
        dsn=config["dsn"],
        bootstrap_servers=config["bootstrap"],
    )
    spare_the_long_lived()
    parent.say("ready")
    await parent.word()
    running = asyncio.create_task(runner.run())
    await parent.word()
    runner.stop()
    await running


if __name__ == "__main__":
    run(main)
