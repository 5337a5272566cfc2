"""The catalogue over a real database; a test imports the fixtures through its conftest."""

import asyncio
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

import asyncpg
import pytest

from services.product.migrations.run import upgrade
from services.product.repository.seed import seed
from stack.databases import create_database, dsn_of, owner_of
from tests.given import SharedPostgres

PASSWORD = "product"


@dataclass(frozen=True, slots=True)
class ProductDatabase:
    app_dsn: str
    owner_dsn: str
    admin_dsn: str


@pytest.fixture(scope="session")
def product_database(postgres: SharedPostgres) -> Iterator[ProductDatabase]:
    """Made, migrated and seeded by the real commands' code; tests leave it as it is."""
    name = f"product_{secrets.token_hex(4)}"
    asyncio.run(
        create_database(
            postgres.admin_dsn, name, owner_password=PASSWORD, app_password=PASSWORD, verifier_password=PASSWORD
        )
    )
    made = ProductDatabase(
        app_dsn=postgres.dsn(name, name, PASSWORD),
        owner_dsn=postgres.dsn(name, owner_of(name), PASSWORD),
        admin_dsn=dsn_of(postgres.admin_dsn, name),
    )
    upgrade(owner_url=made.owner_dsn, app_role=name)
    asyncio.run(seed(made.owner_dsn))
    yield made
    asyncio.run(_drop(postgres, name))


async def _drop(postgres: SharedPostgres, name: str) -> None:
    admin = await asyncpg.connect(postgres.admin_dsn)
    try:
        await admin.execute(f'drop database "{name}" with (force)')
        await admin.execute(f'drop role "{name}"')
        await admin.execute(f'drop role "{owner_of(name)}"')
    finally:
        await admin.close()
