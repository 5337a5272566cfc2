"""Old checkouts are ended and forgotten, a batch at a time; young ones and open carts stay as they are."""

from datetime import timedelta

import asyncpg
import pytest

from chassis.postgres import Pool
from services.cart.repository.checkouts import Checkouts
from services.cart.service.upkeep import Upkeep
from tests.cart_fixtures import CartDatabase, World

SKU = 139275865


@pytest.fixture
def checkouts(world: World) -> Checkouts:
    return Checkouts(pool=world.cart.parts.pool)


async def test_what_ended_long_ago_is_forgotten_with_its_keys(world: World, checkouts: Checkouts) -> None:
    old, young = await _checked_out(world), await _checked_out(world)
    await world.eye.execute("update checkouts set ended_at = ended_at - interval '31 days' where user_id = $1", old)

    await Upkeep(checkouts=checkouts, kept=timedelta(days=30)).look()

    assert (await world.checkouts_of(old), await world.checkouts_of(young)) == ([], ["done"])
    assert await world.eye.fetchval("select array_agg(user_id) from checkout_keys") == [young]


async def test_a_batch_has_its_bound_and_tells_that_there_may_be_more(world: World, checkouts: Checkouts) -> None:
    await world.eye.execute(
        "insert into checkouts (checkout_id, user_id, skus, counts, state, order_id, ended_at)"
        " select gen_random_uuid(), 7, '{1}', '{1}', 'done', n, clock_timestamp() - interval '40 days'"
        " from generate_series(1, 600) as n"
    )
    upkeep = Upkeep(checkouts=checkouts, kept=timedelta(days=30))

    assert [await upkeep.look(), await upkeep.look()] == [True, False]
    assert await world.checkouts_of(7) == []


async def test_a_checkout_open_for_longer_than_loms_must_remember_it_is_given_up(
    world: World, checkouts: Checkouts
) -> None:
    user, other = world.somebody(), world.somebody()
    for each, hours in ((user, 21), (other, 19)):
        await world.put(each, {SKU: 2})
        await world.eye.execute(
            "insert into checkouts (checkout_id, user_id, skus, counts, state, began_at)"
            " values (gen_random_uuid(), $1, array[$2::bigint], '{2}', 'open',"
            " clock_timestamp() - $3 * interval '1 hour')",
            each,
            SKU,
            hours,
        )

    await Upkeep(checkouts=checkouts, kept=timedelta(days=30)).look()

    assert (await world.checkouts_of(user), await world.checkouts_of(other)) == (["refused"], ["open"])
    assert await world.cart_of(user) == {SKU: 2}


async def test_a_replica_passes_over_what_another_one_deletes(world: World, checkouts: Checkouts) -> None:
    user = await _checked_out(world)
    await world.eye.execute("update checkouts set ended_at = ended_at - interval '31 days'")

    async with world.eye.transaction():
        await world.eye.execute("select * from checkouts for update")
        forgotten = await checkouts.forget(after=timedelta(days=30), count_max=10)

    assert forgotten == 0
    assert await world.checkouts_of(user) == ["done"]


@pytest.mark.parametrize("statement", ["drop table checkouts", "create table mine (n int)", "truncate cart_items"])
async def test_the_application_changes_rows_and_no_tables(cart_database: CartDatabase, statement: str) -> None:
    connection = await asyncpg.connect(cart_database.app_dsn)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("find_checkout", (7, "key")), ("lock_cart", (7,)), ("forget_checkouts", (timedelta(days=30), 500))],
)
async def test_statements_of_a_request_find_their_rows_by_an_index(
    world: World, name: str, arguments: tuple[object, ...]
) -> None:
    from services.cart.repository.statements import statement  # noqa: PLC0415

    async with world.eye.transaction():
        await world.eye.execute("set local enable_seqscan = off")
        plan = await world.eye.fetch(f"explain {statement(name)}", *arguments)

    assert not any("Seq Scan" in row[0] for row in plan)


async def _checked_out(world: World) -> int:
    user = world.somebody()
    await world.put(user, {SKU: 1})
    assert (await world.cart.checkout(user, f"key {user}")).status_code == 200
    return user


async def test_a_store_that_is_away_does_not_end_the_loop(cart_database: CartDatabase) -> None:
    pool = Pool(cart_database.app_dsn, application_name="cart-test", max_size=1, acquire_seconds_max=0.1)
    await pool.start()
    async with pool.acquire():
        with pytest.raises(Exception, match="the store of carts did not answer"):
            await Checkouts(pool=pool).forget(after=timedelta(days=1), count_max=1)
    await pool.stop()
