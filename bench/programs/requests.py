"""An open loop of GETs over connections that stay open. Config: port, paths, rate, seconds, lanes.

At the first word it runs for its seconds. Each request has its turn, whatever the answers take; its time runs from
there. One whose turn had not come when the seconds are over, because all lanes were still busy, is missed.
"""

import asyncio
import time

from bench.programs.parent import Config, Parent, run

_OK = b"HTTP/1.1 200 "
_LENGTH = b"content-length:"


async def main(config: Config, parent: Parent) -> None:
    """Connect, run, report."""
    lanes = [_Lane(config, number) for number in range(config["lanes"])]
    for lane in lanes:
        await lane.connect()
    parent.say("ready")
    await parent.word()
    began = time.perf_counter() + 0.1
    await asyncio.gather(*(lane.run(began) for lane in lanes))
    times = sorted(seconds * 1e3 for lane in lanes for seconds in lane.seconds)
    count = int(config["rate"] * config["seconds"])
    parent.say("done", times_ms=times, failed=sum(lane.failed for lane in lanes), missed=count - len(times))
    await parent.word()
    for lane in lanes:
        lane.close()


class _Lane:
    """One connection, one request at a time: every so manieth of them all."""

    def __init__(self, config: Config, number: int) -> None:
        self._config = config
        self._number = number
        self._requests = [f"GET {path} HTTP/1.1\r\nhost: cart\r\n\r\n".encode() for path in config["paths"]]
        self.seconds: list[float] = []
        self.failed = 0

    async def connect(self) -> None:
        self._answers, self._asks = await asyncio.open_connection("127.0.0.1", self._config["port"])

    async def run(self, began: float) -> None:
        rate, ends = self._config["rate"], began + self._config["seconds"]
        for position in range(self._number, int(rate * self._config["seconds"]), self._config["lanes"]):
            due = began + position / rate
            wait = due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            if time.perf_counter() > ends:
                return
            self.failed += not await self._is_answered(position)
            self.seconds.append(time.perf_counter() - due)

    async def _is_answered(self, position: int) -> bool:
        self._asks.write(self._requests[position % len(self._requests)])
        head = await self._answers.readuntil(b"\r\n\r\n")
        lowered = head.lower()
        at = lowered.index(_LENGTH) + len(_LENGTH)
        await self._answers.readexactly(int(lowered[at : lowered.index(b"\r\n", at)]))
        return head.startswith(_OK)

    def close(self) -> None:
        self._asks.close()


if __name__ == "__main__":
    run(main)
