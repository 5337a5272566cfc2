"""Fill in the template of pgbouncer for one container, and become pgbouncer.

What it is told: POOLER_DATABASE (whose role of the same name alone may pass), POOLER_PASSWORD, POOLER_UPSTREAM
("host:port"), POOLER_CONNECTIONS_MAX to the server, POOLER_CLIENTS_MAX. The files lie in /tmp, for this user alone.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from string import Template

TEMPLATE = Path(__file__).parent / "pgbouncer.ini"
PORT = 6432
EXTRA = "max_prepared_statements = 200\npidfile ="
"""The distribution's pgbouncer is 1.24: it carries prepared statements from one connection to the next."""


def configure(environment: Mapping[str, str], folder: Path) -> Path:
    """Write the file of users and the configuration into `folder`; return the latter."""
    database = environment["POOLER_DATABASE"]
    host, _, port = environment["POOLER_UPSTREAM"].rpartition(":")
    users = _written(folder / "users.txt", f"{_quoted(database)} {_quoted(environment['POOLER_PASSWORD'])}\n")
    settings = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        database=database,
        upstream_host=host,
        upstream_port=port,
        listen_host=environment.get("POOLER_LISTEN_HOST", "0.0.0.0"),  # noqa: S104 - inside its container
        listen_port=environment.get("POOLER_LISTEN_PORT", str(PORT)),
        users=users,
        pool_size=environment["POOLER_CONNECTIONS_MAX"],
        clients_max=environment["POOLER_CLIENTS_MAX"],
        extra=EXTRA,
    )
    return _written(folder / "pgbouncer.ini", settings)


def _written(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
    return path


def _quoted(word: str) -> str:
    return '"{}"'.format(word.replace('"', '""'))


if __name__ == "__main__":
    written = configure(os.environ, Path("/tmp"))  # noqa: S108 - a container's own, in memory
    sys.stdout.flush()
    os.execvp("pgbouncer", ["pgbouncer", str(written)])  # noqa: S606,S607 - the image's only one
