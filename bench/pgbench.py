"""Running pgbench, the ceiling of what a client can get out of the server."""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.stand import DATABASE, Stand
from stack.ports import LOOPBACK
from stack.servers.postgres_files import binaries

_SCRIPTS = Path(__file__).parent / "sql" / "pgbench"
_TPS = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_STEP = re.compile(r"^ +([0-9.]+) +[0-9]+ +(.*)$", re.MULTILINE)
_THREADS = 2
_GRACE_SECONDS = 60.0
_WHOLE_SECONDS_MAX = 600.0


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


def bound(sql: str, *names: str) -> str:
    """The statement with `$1` as `:first name`, and so on; pgbench wants it without a semicolon inside."""
    return re.sub(r"\$(\d+)", lambda found: f":{names[int(found.group(1)) - 1]}", sql.strip())


def transactions_per_second(
    stand: Stand, *scripts: Script, clients: int, seconds: float, database: str = DATABASE
) -> float:
    """Run the scripts in equal parts, prepared; the rate without the time it took to connect."""
    length = ("-T", max(1, round(seconds)))
    said = _ran(stand, scripts, *length, clients=clients, seconds_max=seconds + _GRACE_SECONDS, database=database)
    found = _TPS.search(said)
    if found is None:
        raise PgbenchFailed(said[-2_000:])
    return float(found.group(1))


def seconds_of_transaction(stand: Stand, one: Script, *, database: str, clients: int, transactions: int) -> float:
    """What one takes from BEGIN to the answer of COMMIT; each client runs it so many times, side by side."""
    said = _ran(
        stand, [one], "-r", "-t", transactions, clients=clients, seconds_max=_WHOLE_SECONDS_MAX, database=database
    )
    steps = [(float(taken), text.strip().lower()) for taken, text in _STEP.findall(said)]
    begin = next((number for number, (_, text) in enumerate(steps) if text.startswith("begin")), None)
    if begin is None:
        raise PgbenchFailed(said[-2_000:])
    return sum(milliseconds for milliseconds, _ in steps[begin:]) / 1_000


def _ran(
    stand: Stand,
    scripts: Sequence[Script],
    *length: object,
    clients: int,
    seconds_max: float,
    database: str = DATABASE,
) -> str:
    """What pgbench says of its run."""
    argv = [binaries() / "pgbench", "-n", "-M", "prepared", "-c", clients, "-j", min(_THREADS, clients), *length]
    argv += ["-h", LOOPBACK, "-p", stand.postgres.port, "-U", "postgres"]
    for number, each in enumerate(scripts):
        path = stand.folder / f"pgbench-{number}.sql"
        path.write_text(each.sql, encoding="utf-8")
        argv += ["-f", path]
        argv += [part for name, value in each.variables.items() for part in ("-D", f"{name}={value}")]
    environment = {**os.environ, "PGPASSWORD": stand.postgres.password}
    ran = subprocess.run(  # noqa: S603 - our own argv
        [*map(str, argv), database],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
        start_new_session=True,
        timeout=seconds_max,
    )
    if ran.returncode != 0 or "aborted" in ran.stderr:
        raise PgbenchFailed(f"{ran.stdout[-2_000:]}\n{ran.stderr[-2_000:]}")
    return ran.stdout
