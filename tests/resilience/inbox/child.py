"""A consumer in a process of its own, which a test may freeze and kill.

`python -m tests.resilience.inbox.child DSN BOOTSTRAP TOPIC GROUP NAME FOLDER`. While `FOLDER/hold` exists its handler,
having written its effects, says so in `FOLDER/held-NAME` and waits inside the transaction until `hold` is gone.
"""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from inbox import Event, Runner, TopicPolicy
from tests.integration.inbox.world import CONSUMER, QUICK, leave_effects

if TYPE_CHECKING:
    import asyncpg


@contextmanager
def child(dsn: str, bootstrap: str, topic: str, *, name: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start one; it is killed at the end, frozen or not."""
    arguments = [dsn, bootstrap, topic, f"{CONSUMER}-{topic}", name, str(folder)]
    process = subprocess.Popen([sys.executable, "-m", "tests.resilience.inbox.child", *arguments])  # noqa: S603
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def main(arguments: Sequence[str]) -> None:
    dsn, bootstrap, topic, group_id, name, *rest = arguments
    folder = Path(rest[0])

    async def handle(connection: "asyncpg.Connection[asyncpg.Record]", events: Sequence[Event]) -> None:
        await leave_effects(connection, events, by=name)
        while (folder / "hold").exists():
            (folder / f"held-{name}").touch()
            await asyncio.sleep(0.01)

    runner = Runner(
        consumer=CONSUMER,
        topics=[TopicPolicy(topic)],
        handler=handle,
        dsn=dsn,
        bootstrap_servers=bootstrap,
        group_id=group_id,
        limits=QUICK,
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, runner.stop)
    await runner.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
