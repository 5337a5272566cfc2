"""Expirers for tests: built by the real door over a pool of its own, as in replicas, or in a process of LOMS."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from chassis.lifecycle import Task
from services.loms import bootstrap
from services.loms.service.expirer import Expirer
from stack.ports import LOOPBACK, free_port
from tests.loms_fixtures import LomsDatabase, Platform
from tests.loms_processes import command_of_loms, readiness
from tests.waiting import eventually

AT_ONCE = timedelta(0)


@asynccontextmanager
async def expirer(platform: Platform, unpaid: timedelta = AT_ONCE) -> AsyncIterator[Expirer]:
    """One that a test drives turn by turn."""
    async with platform.pool_of(platform.database.app_dsn) as pool:
        yield bootstrap.expirer(pool, platform.wakes, unpaid=unpaid)


@asynccontextmanager
async def running_expirer(platform: Platform, unpaid: timedelta = AT_ONCE) -> AsyncIterator[Task]:
    """One that runs until the end of the block, as it does in the process."""
    async with expirer(platform, unpaid) as loop:
        task = Task("expirer", loop.run, stop=loop.request_stop)
        await task.start()
        try:
            yield task
        finally:
            await task.stop()


@asynccontextmanager
async def expiring_process(
    database: LomsDatabase, **settings: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The api process where a second is too long, ready; and its health address."""
    health = f"{LOOPBACK}:{free_port()}"
    given = {
        "LOMS_DATABASE_URL": database.app_dsn,
        "LOMS_DIRECT_URL": database.app_dsn,
        "LOMS_GRPC_ADDRESS": f"{LOOPBACK}:{free_port()}",
        "LOMS_HEALTH_ADDRESS": health,
        "LOMS_UNPAID_SECONDS": "1",
        **settings,
    }
    async with command_of_loms("api", given) as process:
        await eventually(lambda: readiness(health), within=30)
        yield process, health


async def ended(process: asyncio.subprocess.Process) -> int:
    """Ask a process to stop; the exit code."""
    process.terminate()
    return await process.wait()
