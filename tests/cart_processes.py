"""A process of the cart as an operator starts it, killed and started again on the same addresses."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.loms_processes import readiness
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[1]


class CartProcess:
    """`python -m services.cart api` with these CART_* variables and no others."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Return when it is ready."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CART_")}
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.cart", "api"),
            cwd=ROOT,
            env={**inherited, **self._settings},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await eventually(lambda: readiness(self._settings["CART_HEALTH_ADDRESS"]), within=30)

    async def kill(self) -> None:
        """SIGKILL it and wait for its end; one that is not there is killed already."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def cart_process(settings: Mapping[str, str]) -> AsyncIterator[CartProcess]:
    process = CartProcess(settings)
    await process.start()
    try:
        yield process
    finally:
        await process.kill()
