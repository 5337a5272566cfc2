import asyncpg
import pytest

from services.loms.migrations.run import upgrade
from services.loms.repository.seed import seed
from tests.loms_fixtures import LomsDatabase, Platform


def test_migrating_again_changes_nothing(loms_template: LomsDatabase) -> None:
    upgrade(owner_url=loms_template.owner_dsn, app_role=loms_template.app_role)


async def test_the_seed_loads_every_row_once_and_never_writes_back(platform: Platform) -> None:
    await platform.eye.execute("update stocks set total = 1, reserved = 1 where sku = 1148162")

    loaded = await seed(platform.database.owner_dsn)

    assert loaded == 0
    assert await platform.count("stocks") == 21
    assert await platform.stock(1148162) == (1, 1)
    assert await platform.stock(139818428) == (100, 101)


@pytest.mark.parametrize(
    "statement",
    [
        "drop table orders",
        "delete from orders",
        "delete from outbox",
        "update outbox set payload = ''",
        "insert into stocks values (1, 1, 0)",
        "update outbox_cursor set epoch = 0",
        "create table mine (id int)",
    ],
)
async def test_the_application_role_may_do_no_more_than_it_needs(platform: Platform, statement: str) -> None:
    application = await asyncpg.connect(platform.database.app_dsn)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await application.execute(statement)
    finally:
        await application.close()
