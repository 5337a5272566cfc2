"""ListOrders, once over gRPC and once over HTTP through Envoy."""

import itertools
import re
from datetime import UTC, datetime

import httpx
import pytest

from tests.loms_server import Answer, Caller, Served

pytestmark = pytest.mark.asyncio(loop_scope="session")

SKU = 1625903  # 10,000 pieces, none reserved: enough for every case
OTHER_SKU = 1148162  # 300 pieces, none reserved
NOWHERE = 999  # no stock row
ALL_STATUSES = "new, awaiting payment, failed, paid, cancelled"

_users = itertools.count(500_000)


@pytest.fixture(params=["grpc", "http"])
def caller(request: pytest.FixtureRequest) -> Caller:
    chosen: Caller = request.getfixturevalue(f"{request.param}_caller")
    return chosen


@pytest.fixture
def user() -> int:
    """Somebody without an order."""
    return next(_users)


async def placed(caller: Caller, user: int, *then: str, sku: int = SKU) -> str:
    """An order of a user on which these methods were called; its id."""
    body = {"userId": user, "items": [{"sku": sku, "count": 2}, {"sku": OTHER_SKU, "count": 1}]}
    answer = await caller.call("OrderCreate", body)
    order_id = str(answer.body["orderId"] if answer.code == "OK" else answer.facts["order_id"])
    for method in then:
        await caller.call(method, {"orderId": order_id})
    return order_id


def ids(answer: Answer) -> list[str]:
    assert answer.code == "OK", answer.text
    return [order["orderId"] for order in answer.body["orders"]]


async def test_an_order_is_listed_as_info_shows_it_with_its_id_and_moment(caller: Caller, user: int) -> None:
    before = datetime.now(UTC)  # noqa: TID251 - the server's clock is this machine's

    order_id = await placed(caller, user)

    answer = await caller.call("ListOrders", {"userId": user})
    [order] = answer.body["orders"]
    created_at = order.pop("createdAt")
    info = await caller.call("OrderInfo", {"orderId": order_id})
    assert order == {"orderId": order_id, **info.body}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", created_at)
    assert abs((datetime.fromisoformat(created_at) - before).total_seconds()) < 30
    assert answer.body["nextPageToken"] == ""


async def test_orders_come_newest_first(caller: Caller, user: int) -> None:
    orders = [await placed(caller, user) for _ in range(3)]

    assert ids(await caller.call("ListOrders", {"userId": user})) == orders[::-1]


async def test_nobody_elses_orders_are_listed(caller: Caller, user: int) -> None:
    await placed(caller, next(_users))

    answer = await caller.call("ListOrders", {"userId": user})

    assert (answer.code, answer.body) == ("OK", {"orders": [], "nextPageToken": ""})


async def test_without_a_filter_everybodys_orders_are_listed(caller: Caller, user: int) -> None:
    first, second = await placed(caller, user), await placed(caller, next(_users))

    assert ids(await caller.call("ListOrders", {"pageSize": 2})) == [second, first]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("awaiting payment", ["awaiting payment"]),
        ("failed", ["failed"]),
        ("paid", ["paid"]),
        ("payed", ["paid"]),
        ("cancelled", ["cancelled"]),
        ("canceled", ["cancelled"]),
        ("new", []),
        ("", ["cancelled", "paid", "failed", "awaiting payment"]),
    ],
)
async def test_a_status_is_a_filter_in_all_its_spellings(
    caller: Caller, user: int, status: str, expected: list[str]
) -> None:
    await placed(caller, user)
    await placed(caller, user, sku=NOWHERE)
    await placed(caller, user, "OrderPay")
    await placed(caller, user, "OrderCancel")

    answer = await caller.call("ListOrders", {"userId": user, "status": status})

    assert [order["status"] for order in answer.body["orders"]] == expected


async def test_a_status_filters_everybodys_orders_too(caller: Caller, user: int) -> None:
    paid = await placed(caller, user, "OrderPay")
    await placed(caller, user)

    assert ids(await caller.call("ListOrders", {"status": "paid", "pageSize": 1})) == [paid]


@pytest.mark.parametrize("status", ["", "awaiting payment"])
async def test_pages_hold_every_order_once_also_while_others_are_placed(caller: Caller, user: int, status: str) -> None:
    orders = [await placed(caller, user) for _ in range(5)]
    wanted = {"userId": user, "status": status}

    pages: list[list[str]] = []
    token = ""
    for size in (2, 1, 2):
        answer = await caller.call("ListOrders", {**wanted, "pageSize": size, "pageToken": token})
        token = answer.body["nextPageToken"]
        pages.append(ids(answer))
        await placed(caller, user)

    assert pages == [orders[:2:-1], [orders[2]], [orders[1], orders[0]]]
    assert token == ""


async def test_a_page_has_fifty_orders_unless_asked_otherwise(served: Served, caller: Caller, user: int) -> None:
    await many_orders(served, user, 120)

    whole = await caller.call("ListOrders", {"userId": user, "pageSize": 1_000})
    usual = await caller.call("ListOrders", {"userId": user})

    assert len(ids(whole)) == 120
    assert ids(usual) == ids(whole)[:50]
    assert usual.body["nextPageToken"]


@pytest.mark.parametrize("size", [0, -1, 1_001])
async def test_a_page_size_out_of_bounds_is_refused_with_the_bounds(caller: Caller, size: int) -> None:
    answer = await caller.call("ListOrders", {"pageSize": size})

    assert (answer.code, answer.facts["field"]) == ("INVALID_ARGUMENT", "page_size")
    assert "1" in answer.text
    assert "1000" in answer.text


@pytest.mark.parametrize("status", ["unknown", "PAID", "awaiting_payment", " paid"])
async def test_an_unknown_status_is_refused_with_the_known_ones(caller: Caller, status: str) -> None:
    answer = await caller.call("ListOrders", {"status": status})

    assert (answer.code, answer.facts["field"]) == ("INVALID_ARGUMENT", "status")
    assert ALL_STATUSES in answer.text


@pytest.mark.parametrize("user_id", [0, -1])
async def test_a_user_that_cannot_be_is_refused(caller: Caller, user_id: int) -> None:
    answer = await caller.call("ListOrders", {"userId": user_id})

    assert (answer.code, answer.facts["field"]) == ("INVALID_ARGUMENT", "user_id")


GARBAGE = {
    "words": "the-next-page-please",
    "a number": "42",
    "the right length": "A" * 32,
    "one character off": "",
    "padded": "AAAA====",
    "not ASCII": "é" * 32,
    "very long": "A" * 4_000,
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
async def test_a_token_that_is_none_of_ours_is_refused_with_a_cure(caller: Caller, user: int, garbage: str) -> None:
    token = garbage or await a_token_with_one_character_off(caller, user)

    answer = await caller.call("ListOrders", {"userId": user, "pageToken": token})

    assert (answer.code, answer.reason, answer.facts["field"]) == ("INVALID_ARGUMENT", "BAD_PAGE_TOKEN", "page_token")
    assert "not a token of ours" in answer.text
    assert "leave page_token out for the first page" in answer.text


async def test_a_token_with_another_filter_is_refused_with_a_cure(caller: Caller, user: int) -> None:
    token = await a_token(caller, user)

    for changed in ({"userId": user + 1}, {}, {"userId": user, "status": "paid"}):
        answer = await caller.call("ListOrders", {**changed, "pageToken": token})

        assert (answer.code, answer.reason) == ("INVALID_ARGUMENT", "BAD_PAGE_TOKEN")
        assert "belongs to another user_id or status" in answer.text
        assert "with the same filter" in answer.text


async def test_the_spellings_of_a_status_are_one_filter(caller: Caller, user: int) -> None:
    first, second = [await placed(caller, user, "OrderPay") for _ in range(2)]

    page = await caller.call("ListOrders", {"userId": user, "status": "paid", "pageSize": 1})
    following = {"userId": user, "status": "payed", "pageToken": page.body["nextPageToken"]}

    assert ids(page) + ids(await caller.call("ListOrders", following)) == [second, first]


@pytest.mark.parametrize("query", ["status=awaiting%20payment", "status=awaiting+payment"])
async def test_a_space_in_a_query_may_be_written_either_way(served: Served, grpc_caller: Caller, query: str) -> None:
    user = next(_users)
    order_id = await placed(grpc_caller, user)

    async with httpx.AsyncClient(base_url=served.http_url, timeout=20) as client:
        response = await client.get(f"/order/list?user_id={user}&{query}&pageSize=1")

    assert [order["orderId"] for order in response.json()["orders"]] == [order_id]


@pytest.mark.parametrize("size", ["01", "%2B1"])
async def test_a_number_in_a_query_may_have_a_sign_or_a_zero_before_it(
    served: Served, grpc_caller: Caller, size: str
) -> None:
    await placed(grpc_caller, next(_users))

    async with httpx.AsyncClient(base_url=served.http_url, timeout=20) as client:
        response = await client.get(f"/order/list?pageSize={size}")

    assert (response.status_code, len(response.json()["orders"])) == (200, 1)


@pytest.mark.parametrize(
    "query", ["userId=abc", "pageSize=many", "pageSize=1.5", "userId=9223372036854775808", "order=1"]
)
async def test_a_query_that_says_nothing_proper_is_400(served: Served, query: str) -> None:
    async with httpx.AsyncClient(base_url=served.http_url, timeout=20) as client:
        response = await client.get(f"/order/list?{query}")

    assert (response.status_code, response.json()["code"]) == (400, 3)


async def a_token(caller: Caller, user: int) -> str:
    for _ in range(2):
        await placed(caller, user)
    answer = await caller.call("ListOrders", {"userId": user, "pageSize": 1})
    return str(answer.body["nextPageToken"])


async def a_token_with_one_character_off(caller: Caller, user: int) -> str:
    token = await a_token(caller, user)
    return ("B" if token[5] == "A" else "A").join((token[:5], token[6:]))


async def many_orders(served: Served, user: int, count: int) -> None:
    """Orders of one item, written past the service."""
    await served.eye.execute(
        "with added as (insert into orders (user_id, status, version, created_at, changed_at) "
        "select $1, 'paid', 3, now(), now() from generate_series(1, $2) returning order_id) "
        "insert into order_items select order_id, $3, 1 from added",
        user,
        count,
        SKU,
    )
