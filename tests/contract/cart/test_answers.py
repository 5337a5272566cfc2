"""The cart answers as the contract says: every row of its table, and what numbers and bodies may look like."""

import asyncio

import pytest

from tests.cart_fixtures import SKUS, SOLD_OUT, World, problem

pytestmark = pytest.mark.asyncio(loop_scope="session")

SKU, OTHER, PLENTY = 773297411, 2958025, 139275865
IN_STOCK = 140
"""Pieces of SKU that can be had: no test orders any."""
MOST = 2**63 - 1

BAD_IDS = ["0", "-1", "1.5", "five", "%22%35%22", str(2**63), "9" * 5_000, "null", "%00", "%F0%9F%8D%8F"]
BAD_IDS += ["1_0", "1.0", "%201", "1%20", "1%0A", "+5", "-0", "05", "1e3", "%D9%A3"]  # the last is an Arabic three


async def test_an_add_is_200_with_nothing_in_it_and_adds_sum(shop: World) -> None:
    user = shop.somebody()

    answers = [await shop.cart.add(user, SKU, count) for count in (2, 3)]

    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b""), (200, b"")]
    assert await shop.cart_of(user) == {SKU: 5}


async def test_a_list_is_by_sku_with_names_prices_and_their_sum(shop: World) -> None:
    user = shop.somebody()
    await shop.cart.add(user, SKU, 1)
    await shop.cart.add(user, OTHER, 3)

    answer = await shop.cart.show(user)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "items": [
            {"sku": OTHER, "name": "Roxy Music. Stranded. Remastered Edition", "count": 3, "price": 1028},
            {"sku": SKU, "name": "Кроссовки Nike JORDAN", "count": 1, "price": 2202},
        ],
        "total_price": 5286,
    }


async def test_a_list_of_an_empty_cart_is_404(shop: World) -> None:
    assert problem(await shop.cart.show(shop.somebody()), 404)["code"] == "CART_IS_EMPTY"


async def test_whatever_is_removed_is_204(shop: World) -> None:
    user = shop.somebody()
    await shop.cart.add(user, SKU)
    await shop.cart.add(user, OTHER)

    statuses = [
        (await shop.cart.remove(user, SKU)).status_code,
        (await shop.cart.remove(user, SKU)).status_code,
        (await shop.cart.remove(user, 4_242)).status_code,
        (await shop.cart.clear(user)).status_code,
        (await shop.cart.clear(user)).status_code,
    ]

    assert statuses == [204] * 5
    assert await shop.cart_of(user) == {}


async def test_removing_one_sku_leaves_the_others(shop: World) -> None:
    user = shop.somebody()
    await shop.cart.add(user, SKU)
    await shop.cart.add(user, OTHER)

    await shop.cart.remove(user, SKU)

    assert await shop.cart_of(user) == {OTHER: 1}


@pytest.mark.parametrize("sku", [1, 2**31, 2**32, MOST])
async def test_a_sku_the_catalogue_does_not_know_is_412(shop: World, sku: int) -> None:
    user = shop.somebody()

    answer = await shop.cart.add(user, sku)

    assert problem(answer, 412)["code"] == "UNKNOWN_SKU"
    assert await shop.cart_of(user) == {}


@pytest.mark.parametrize("count", [IN_STOCK + 1, 2**31, 2**32, MOST])
async def test_more_than_can_be_had_is_412_and_leaves_the_cart_as_it_was(shop: World, count: int) -> None:
    user = shop.somebody()
    await shop.cart.add(user, OTHER, 2)

    answer = await shop.cart.add(user, SKU, count)

    assert problem(answer, 412)["code"] == "NOT_ENOUGH_STOCK"
    assert await shop.cart_of(user) == {OTHER: 2}


async def test_all_there_is_can_be_put_into_a_cart_and_the_sum_counts(shop: World) -> None:
    user = shop.somebody()

    everything = await shop.cart.add(user, SKU, IN_STOCK)
    one_more = await shop.cart.add(user, SKU, 1)

    assert everything.status_code == 200
    refusal = problem(one_more, 412)
    assert refusal["code"] == "NOT_ENOUGH_STOCK"
    assert refusal["detail"] == f"of sku {SKU} only 140 can be had, 1 more than the 140 in the cart were asked for"
    assert {name: refusal[name] for name in ("sku", "asked", "in_cart", "available")} == {
        "sku": SKU,
        "asked": 1,
        "in_cart": 140,
        "available": 140,
    }
    assert await shop.cart_of(user) == {SKU: IN_STOCK}


async def test_what_is_sold_out_is_412(shop: World) -> None:
    refusal = problem(await shop.cart.add(shop.somebody(), SOLD_OUT), 412)

    assert refusal["code"] == "NOT_ENOUGH_STOCK"
    assert refusal["detail"] == f"of sku {SOLD_OUT} only 0 can be had, 1 were asked for"
    assert (refusal["in_cart"], refusal["available"]) == (0, 0)


async def test_a_cart_reserves_nothing(shop: World) -> None:
    before = await shop.loms_eye.fetch("select * from stocks order by sku")

    await shop.cart.add(shop.somebody(), SKU, 7)

    assert await shop.loms_eye.fetch("select * from stocks order by sku") == before


@pytest.mark.parametrize("user", [2**31, 2**53 + 1, MOST])
async def test_ids_are_64_bit(shop: World, user: int) -> None:
    await shop.cart.add(user, OTHER)

    assert (await shop.cart.show(user)).json()["items"][0]["sku"] == OTHER
    assert (await shop.cart.checkout(user)).json()["order_id"] in await shop.orders_of(user)
    assert (await shop.cart.remove(user, MOST)).status_code == 204


@pytest.mark.parametrize("bad", BAD_IDS)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/user/{}/cart/1002"),
        ("POST", "/user/1/cart/{}"),
        ("DELETE", "/user/{}/cart/1002"),
        ("DELETE", "/user/1/cart/{}"),
        ("DELETE", "/user/{}/cart"),
        ("GET", "/user/{}/cart"),
        ("POST", "/checkout/{}"),
    ],
)
async def test_an_id_that_cannot_be_one_is_400(shop: World, method: str, path: str, bad: str) -> None:
    answer = await shop.cart.http.request(method, path.format(bad), content=b'{"count": 1}')

    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "INVALID_ARGUMENT"
    assert answer.json()["errors"][0]["field"] in {"user_id", "sku_id"}


BODIES = {
    "below 0": b'{"count": -1}',
    "0": b'{"count": 0}',
    "a fraction": b'{"count": 1.5}',
    "a whole fraction": b'{"count": 1.0}',
    "quoted": b'{"count": "5"}',
    "a word": b'{"count": "many"}',
    "half a surrogate pair": b'{"count": "\\ud83d"}',
    "beyond 64 bits": b'{"count": 9223372036854775808}',
    "beyond all measure": b'{"count": ' + b"9" * 5_000 + b"}",
    "an exponent": b'{"count": 1e400}',
    "true": b'{"count": true}',
    "null": b'{"count": null}',
    "a list": b'{"count": [1]}',
    "no number": b'{"count": NaN}',
    "nothing named so": b'{"counts": 1}',
    "an empty object": b"{}",
    "an empty list": b"[]",
    "a number": b"5",
    "null alone": b"null",
    "cut off": b'{"count": 1',
    "more than JSON": b'{"count": 1} trailing',
    "no JSON": b"count=1",
    "not UTF-8": b'{"count": "\xff\xfe"}',
    "nested without end": b"[" * 60_000,
    "nothing": b"",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
async def test_a_body_without_a_proper_count_is_400_and_changes_nothing(shop: World, body: bytes) -> None:
    user = shop.somebody()

    answer = await shop.cart.http.post(f"/user/{user}/cart/{SKU}", content=body)

    assert problem(answer, 400)["code"] in {"INVALID_ARGUMENT", "BAD_REQUEST"}
    assert await shop.cart_of(user) == {}


async def test_of_a_key_that_stands_twice_the_last_counts_and_an_unknown_one_is_ignored(shop: World) -> None:
    user = shop.somebody()

    answer = await shop.cart.http.post(f"/user/{user}/cart/{SKU}", content=b'{"count": 1, "colour": 7, "count": 2}')

    assert answer.status_code == 200
    assert await shop.cart_of(user) == {SKU: 2}


async def test_a_body_beyond_its_bound_is_413(shop: World) -> None:
    answer = await shop.cart.http.post(f"/user/1/cart/{SKU}", content=b" " * 100_000 + b'{"count": 1}')

    problem(answer, 413)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        *(("GET", path, 404) for path in ("/", "/user/1", "/user/1/cart/")),
        *(("POST", path, 404) for path in ("/checkout/1/", "/user/81/cart/1/")),
        *(("PUT", "/user/1/cart", 405), ("GET", "/checkout/1", 405)),
    ],
)
async def test_what_does_not_exist_is_a_problem_too(shop: World, method: str, path: str, status: int) -> None:
    problem(await shop.cart.http.request(method, path), status)


async def test_a_checkout_of_an_empty_cart_is_404(shop: World) -> None:
    assert problem(await shop.cart.checkout(shop.somebody()), 404)["code"] == "CART_IS_EMPTY"


async def test_a_checkout_is_the_order_of_what_lay_in_the_cart_which_is_empty_then(shop: World) -> None:
    user = shop.somebody()
    await shop.cart.add(user, PLENTY, 2)
    await shop.cart.add(user, OTHER, 1)

    answer = await shop.cart.checkout(user)

    assert answer.status_code == 200
    assert answer.json() == {"order_id": next(iter(await shop.orders_of(user)))}
    assert list((await shop.orders_of(user)).values()) == [{OTHER: 1, PLENTY: 2}]
    assert problem(await shop.cart.show(user), 404)["code"] == "CART_IS_EMPTY"
    assert problem(await shop.cart.checkout(user), 404)["code"] == "CART_IS_EMPTY"


async def test_a_checkout_that_loms_refuses_is_412_and_keeps_the_cart(shop: World) -> None:
    user = shop.somebody()
    await shop.put(user, {SKU: 1, SOLD_OUT: 1})

    answer = await shop.cart.checkout(user)

    assert problem(answer, 412)["code"] == "ORDER_REFUSED"
    assert await shop.cart_of(user) == {SKU: 1, SOLD_OUT: 1}
    assert await shop.orders_of(user) == {}


async def test_a_repeat_with_the_same_key_is_the_same_order_and_without_one_404(shop: World) -> None:
    user = shop.somebody()
    await shop.cart.add(user, OTHER)

    first = await shop.cart.checkout(user, "once")
    again = await shop.cart.checkout(user, "once")

    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    problem(await shop.cart.checkout(user), 404)
    assert len(await shop.orders_of(user)) == 1


async def test_a_key_is_one_users_and_speaks_of_one_order(shop: World) -> None:
    one, other = shop.somebody(), shop.somebody()
    for user in (one, other):
        await shop.cart.add(user, OTHER)
    first = await shop.cart.checkout(one, "mine")
    await shop.cart.add(one, OTHER)

    anothers = await shop.cart.checkout(other, "mine")
    again = await shop.cart.checkout(one, "mine")
    new = await shop.cart.checkout(one, "next")

    assert again.json() == first.json()
    assert len({first.json()["order_id"], anothers.json()["order_id"], new.json()["order_id"]}) == 3
    assert await shop.cart_of(one) == {}


@pytest.mark.parametrize(("key", "shown"), [("", '""'), ("x" * 256, "x" * 64 + "…")])
async def test_a_key_out_of_bounds_is_400(shop: World, key: str, shown: str) -> None:
    answer = problem(await shop.cart.checkout(shop.somebody(), key), 400)

    assert (answer["errors"][0]["field"], answer["errors"][0]["value"]) == ("Idempotency-Key", shown)
    assert answer["detail"].endswith(f", not {shown}")


async def test_two_keys_are_400_and_order_nothing(shop: World) -> None:
    user = shop.somebody()
    await shop.cart.add(user, OTHER)
    headers = [("Idempotency-Key", "one"), ("Idempotency-Key", "other")]

    answer = await shop.cart.http.post(f"/checkout/{user}", headers=headers)

    assert problem(answer, 400)["errors"] == [
        {"field": "Idempotency-Key", "value": "one, other", "message": "Input should be one header"}
    ]
    assert await shop.cart_of(user) == {OTHER: 1}


async def test_eleven_adds_at_once_are_all_there(shop: World) -> None:
    user = shop.somebody()

    answers = await asyncio.gather(*(shop.cart.add(user, sku) for sku in SKUS))

    assert [answer.status_code for answer in answers] == [200] * 11
    assert await shop.cart_of(user) == dict.fromkeys(SKUS, 1)


async def test_adds_of_one_sku_at_once_sum_and_never_pass_the_stock(shop: World) -> None:
    user = shop.somebody()

    answers = await asyncio.gather(*(shop.cart.add(user, SKU, 10) for _ in range(20)))

    assert sorted(answer.status_code for answer in answers) == [200] * 14 + [412] * 6
    assert await shop.cart_of(user) == {SKU: IN_STOCK}
