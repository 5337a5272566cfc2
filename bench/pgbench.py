"""Running pgbench, the ceiling of what a client can get out of the server."""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.stand import DATABASE, Stand
from stack.ports import LOOPBACK
from stack.servers.postgres_files import binaries

_SCRIPTS = Path(__file__).parent / "sql" / "pgbench"
_TPS = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_THREADS = 2
_GRACE_SECONDS = 60.0


class PgbenchFailed(Exception):
    """pgbench did not do its work."""


@dataclass(frozen=True, slots=True)
class Script:
    """What each client of pgbench repeats, with the variables it finds."""

    sql: str
    variables: Mapping[str, str]


def script(name: str, **fragments: str) -> str:
    """The text of `sql/pgbench/<name>.sql`, with what stands in its braces filled in."""
    return (_SCRIPTS / f"{name}.sql").read_text(encoding="utf-8").format(**fragments)


def transactions_per_second(stand: Stand, *scripts: Script, clients: int, seconds: float) -> float:
    """Run the scripts in equal parts, prepared; the rate without the time it took to connect."""
    argv = [binaries() / "pgbench", "-n", "-M", "prepared", "-c", clients, "-j", min(_THREADS, clients)]
    argv += ["-T", max(1, round(seconds)), "-h", LOOPBACK, "-p", stand.postgres.port, "-U", "postgres"]
    for number, each in enumerate(scripts):
        path = stand.folder / f"pgbench-{number}.sql"
        path.write_text(each.sql, encoding="utf-8")
        argv += ["-f", path]
        argv += [part for name, value in each.variables.items() for part in ("-D", f"{name}={value}")]
    environment = {**os.environ, "PGPASSWORD": stand.postgres.password}
    ran = subprocess.run(  # noqa: S603 - our own argv
        [*map(str, argv), DATABASE],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
        start_new_session=True,
        timeout=seconds + _GRACE_SECONDS,
    )
    found = _TPS.search(ran.stdout)
    if ran.returncode != 0 or found is None or "aborted" in ran.stderr:
        raise PgbenchFailed(f"{ran.stdout[-2_000:]}\n{ran.stderr[-2_000:]}")
    return float(found.group(1))
