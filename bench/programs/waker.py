"""A writer that does nothing but wake, as often as the library lets it, and a listener that hears it. Config: dsn."""

import asyncpg

from bench.programs.parent import Config, Parent, run
from outbox import Wake


async def main(config: Config, parent: Parent) -> None:
    """Wake until told to stop: whenever a wake was heard the next is due. Say how often that was."""
    listener = await asyncpg.connect(config["dsn"])
    wake = Wake(config["dsn"])
    heard = 0

    def again(*_: object) -> None:
        nonlocal heard
        heard += 1
        wake.set()

    await listener.add_listener("outbox", again)
    await wake.start()
    wake.set()
    parent.say("ready")
    await parent.word()
    await wake.stop()
    parent.say("stopped", heard=heard)
    await listener.close()


if __name__ == "__main__":
    run(main)
