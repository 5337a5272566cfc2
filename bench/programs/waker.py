"""A writer that does nothing but wake, as often as the library lets it, and a listener that hears it. Config: dsn."""

import asyncio

import asyncpg

from bench.programs.parent import Config, Parent, run
from outbox import Wake

_SET_SECONDS = 0.0005


async def main(config: Config, parent: Parent) -> None:
    """Wake until told to stop; say how often it was heard."""
    listener = await asyncpg.connect(config["dsn"])
    heard = 0

    def count(*_: object) -> None:
        nonlocal heard
        heard += 1

    await listener.add_listener("outbox", count)
    wake = Wake(config["dsn"])
    await wake.start()
    setting = asyncio.create_task(_keep_setting(wake))
    parent.say("ready")
    await parent.word()
    setting.cancel()
    await wake.stop()
    parent.say("stopped", heard=heard)
    await listener.close()


async def _keep_setting(wake: Wake) -> None:
    while True:
        wake.set()
        await asyncio.sleep(_SET_SECONDS)


if __name__ == "__main__":
    run(main)
