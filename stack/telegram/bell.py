"""Wakes everybody who watches the phones when a line was written."""

import asyncio


class Bell:
    """One ring reaches all who wait at that moment; nobody has to subscribe or leave."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake all who wait."""
        self._rung.set()
        self._rung = asyncio.Event()

    async def wait(self) -> None:
        """Return at the next ring."""
        await self._rung.wait()
