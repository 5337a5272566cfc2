"""The schema of the catalogue, and who may do what in it."""

import asyncpg
import pytest

from services.product.repository.seed import seed
from tests.product_fixtures import ProductDatabase


async def test_seeding_again_loads_nothing(product_database: ProductDatabase) -> None:
    assert await seed(product_database.owner_dsn) == 0


@pytest.mark.parametrize(
    "statement", ["update products set price = 1", "delete from products", "insert into products values (1, 'x', 1)"]
)
async def test_the_application_only_reads(product_database: ProductDatabase, statement: str) -> None:
    connection = await asyncpg.connect(product_database.app_dsn)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()
