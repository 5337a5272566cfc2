"""A process of LOMS as an operator starts it: told what to do by its environment alone."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parents[1]


@asynccontextmanager
async def command_of_loms(command: str, settings: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `python -m services.loms <command>` with these LOMS_* variables and no others; kill what is left of it."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LOMS_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.loms", command),
        cwd=ROOT,
        env={**inherited, **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def readiness(health: str) -> dict[str, Any] | None:
    """What /readyz tells of a process that is ready; None before."""
    async with httpx.AsyncClient() as client:
        try:
            response = await client.get(f"http://{health}/readyz")
        except httpx.TransportError:
            return None
    body: dict[str, Any] = response.json()
    return body if response.status_code == httpx.codes.OK else None
