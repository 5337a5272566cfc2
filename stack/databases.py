"""A service's database and the roles around it: who owns, who works, who only looks.

- `<name>_owner` owns the database and everything migrations make in it; it runs migrations and the relay,
  and sees how long anybody's transactions are open.
- `<name>`, the service, owns nothing: it uses what migrations grant it, and connects to no other service's database.
- `verifier` reads everything everywhere and writes nothing.
"""

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

VERIFIER = "verifier"
_SQL = Path(__file__).parent / "sql"
_ONE_AT_A_TIME = 0x6F6E656C616E65  # "onelane": the advisory lock of everybody who changes roles


async def create_database(
    admin_dsn: str, name: str, *, owner_password: str, app_password: str, verifier_password: str
) -> None:
    """Make the database `name` and its three roles be as this module says; repeating it changes only passwords.

    `admin_dsn` is a superuser's address of any database of the server. Data that is there stays.
    """
    owner = owner_of(name)
    admin = await asyncpg.connect(admin_dsn)
    try:
        await admin.execute("SELECT pg_advisory_lock($1)", _ONE_AT_A_TIME)
        await _make(admin, "role", owner, owner_password)
        await _make(admin, "role", name, app_password)
        await _make(admin, "role", VERIFIER, verifier_password)
        await _make(admin, "database", name, owner)
        await _make(admin, "doors", name, name, VERIFIER, owner)
    finally:
        await admin.close()
    inside = await asyncpg.connect(dsn_of(admin_dsn, name))
    try:
        await _make(inside, "schema", name)
    finally:
        await inside.close()


def owner_of(name: str) -> str:
    """The role that owns the database `name`."""
    return f"{name}_owner"


def dsn_of(dsn: str, database: str) -> str:
    """The same server and user, another database."""
    return urlunsplit(urlsplit(dsn)._replace(path=f"/{database}"))


async def _make(connection: "asyncpg.Connection[asyncpg.Record]", statement: str, *values: str) -> None:
    """Let the server quote `values` into the statements of a file, then run them: roles cannot be bound."""
    sql = (_SQL / f"{statement}.sql").read_text(encoding="utf-8")
    for row in await connection.fetch(sql, *values):
        await connection.execute(row[0])
