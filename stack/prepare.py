"""`python -m stack.prepare MODULE …`: databases, roles, tables and first rows, in one process because imports cost.

For every service module: its database and roles are made, then the commands an operator would type are run, each to
its end: `migrate`, and `seed` for those in SEEDED. Repeating it changes nothing.
"""

import asyncio
import os
import runpy
import sys
from collections.abc import Mapping

from stack.databases import create_database, owner_of
from stack.external import POSTGRES
from stack.home import home_of
from stack.passwords import passwords_of
from stack.servers.postgres import Postgres

PORT_VARIABLE = "ONELANE_POSTGRES_PORT"
SEEDED = frozenset({"services.loms", "services.product"})


def main(modules: list[str], environment: Mapping[str, str]) -> None:
    """Prepare the home's Postgres, or that of others, for these service modules."""
    home = home_of(environment)
    admin_dsn = environment.get(POSTGRES) or Postgres(home.data / "postgres", int(environment[PORT_VARIABLE])).admin_dsn
    names = [module.rpartition(".")[2] for module in modules]
    asyncio.run(_make_databases(admin_dsn, names, passwords_of(home)))
    for module in modules:
        _run(module, "migrate")
        if module in SEEDED:
            _run(module, "seed")


async def _make_databases(admin_dsn: str, names: list[str], passwords: Mapping[str, str]) -> None:
    for name in names:
        await create_database(
            admin_dsn,
            name,
            owner_password=passwords[owner_of(name)],
            app_password=passwords[name],
            verifier_password=passwords["verifier"],
        )


def _run(module: str, command: str) -> None:
    """`python -m module command` without another interpreter; anything but exit code 0 ends this process with it."""
    sys.argv = [module, command]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if ended.code not in {None, 0}:
            raise


if __name__ == "__main__":
    main(sys.argv[1:], os.environ)
