"""Witness D: a trigger that writes down every change of orders and stocks, in databases of tests only.

It writes in the transaction of the change and under its id, whoever makes the change and however; so it knows what the
code under test did, and not what that code says it did. No migration of the product knows it.
"""

from __future__ import annotations

from pathlib import Path

import asyncpg

_SQL = Path(__file__).parent / "sql" / "audit"


async def install_audit_trigger(owner_dsn: str) -> None:
    """Stand it up in a migrated database of LOMS, as the tables' owner; what changed before is not in it."""
    connection = await asyncpg.connect(owner_dsn)
    try:
        async with connection.transaction():
            for path in sorted(_SQL.glob("*.sql")):
                await connection.execute(path.read_text(encoding="utf-8"))
    finally:
        await connection.close()


async def remove_audit_trigger(owner_dsn: str) -> None:
    """Take it down with all it wrote."""
    connection = await asyncpg.connect(owner_dsn)
    try:
        await connection.execute("drop schema if exists audit cascade")
    finally:
        await connection.close()
