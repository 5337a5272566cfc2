"""Programs that own a server and can be killed without a chance to clean up."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PROGRAM = """
import signal, sys
from pathlib import Path
from stack.servers import Postgres
server = Postgres(Path(sys.argv[1]), int(sys.argv[2]), dies_with_parent=sys.argv[3] == "bound")
server.start()
print(server.pid, flush=True)
signal.pause()
"""
_ROOT = Path(__file__).parent.parent


@contextmanager
def owner_of_postgres(folder: Path, port: int, *, bound: bool) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """Another program that started PostgreSQL on `folder`, and the server's pid; `bound`: it dies with its owner."""
    argv = [sys.executable, "-c", _PROGRAM, str(folder), str(port), "bound" if bound else "free"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, cwd=_ROOT) as owner:  # noqa: S603 - our own argv
        assert owner.stdout is not None
        try:
            yield owner, int(owner.stdout.readline())
        finally:
            owner.send_signal(signal.SIGKILL)
            owner.wait()
