"""A stranger's long transaction: it has an id and keeps its snapshot until told to stop. Config: dsn."""

import asyncpg

from bench.programs.parent import Config, Parent, run


async def main(config: Config, parent: Parent) -> None:
    """Hold."""
    connection = await asyncpg.connect(config["dsn"], server_settings={"application_name": "bench-holder"})
    async with connection.transaction(isolation="repeatable_read"):
        await connection.fetchval("select pg_current_xact_id()::text")
        parent.say("ready")
        await parent.word()
    await connection.close()


if __name__ == "__main__":
    run(main)
