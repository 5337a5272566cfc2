"""The table of answers: over gRPC, over HTTP through Envoy, and with a pgbouncer before the database."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from tests.loms_server import Body, Caller, Served

pytestmark = pytest.mark.asyncio(loop_scope="session")

SKU = 1625903  # 10,000 pieces, none reserved: enough for every case
NOWHERE = 999  # no stock row
LARGEST = 2**63 - 1

_users = itertools.count(1_000)


@pytest.fixture(params=["grpc", "http", "pooled"])
def caller(request: pytest.FixtureRequest) -> Caller:
    chosen: Caller = request.getfixturevalue(f"{request.param}_caller")
    return chosen


@dataclass(frozen=True, slots=True)
class Given:
    """What a case may build its request from."""

    served: Served
    caller: Caller

    async def order(self, *then: str, sku: int = SKU) -> int:
        """Place an order and call these methods on it."""
        await self.caller.call("OrderCreate", _create(items=[{"sku": sku, "count": 1}]))
        order_id = int(await self.served.eye.fetchval("select max(order_id) from orders"))
        for method in then:
            await self.caller.call(method, {"orderId": order_id})
        return order_id

    async def order_in_new(self) -> int:
        order_id = await self.order()
        await self.served.eye.execute("update orders set status = 'new' where order_id = $1", order_id)
        return order_id


def _create(**changes: object) -> dict[str, object]:
    return {"userId": next(_users), "items": [{"sku": SKU, "count": 1}]} | changes


REFUSED_CREATES: dict[str, Body] = {
    "user 0": _create(userId=0),
    "user below 0": _create(userId=-1),
    "no items": _create(items=[]),
    "sku 0": _create(items=[{"sku": 0, "count": 1}]),
    "sku below 0": _create(items=[{"sku": -5, "count": 1}]),
    "count 0": _create(items=[{"sku": SKU, "count": 0}]),
    "the second item is wrong": _create(items=[{"sku": SKU, "count": 1}, {"sku": SKU, "count": 0}]),
    "nothing at all": {},
    "a sum out of range": _create(items=[{"sku": SKU, "count": 2**32 - 1}, {"sku": SKU, "count": 1}]),
}


@pytest.mark.parametrize("body", REFUSED_CREATES.values(), ids=REFUSED_CREATES)
async def test_an_invalid_create_is_refused_without_a_trace(served: Served, caller: Caller, body: Body) -> None:
    before = await _rows(served)

    answer = await caller.call("OrderCreate", body)

    assert answer.code == "INVALID_ARGUMENT"
    assert await _rows(served) == before


FAILING_CREATES = {
    "more than is available": {"sku": SKU, "count": 5_000_000},
    "the largest count": {"sku": 1148162, "count": 2**32 - 1},
    "a sku without a stock row": {"sku": NOWHERE, "count": 1},
    "the largest sku": {"sku": LARGEST, "count": 1},
}


@pytest.mark.parametrize("item", FAILING_CREATES.values(), ids=FAILING_CREATES)
async def test_a_create_that_stock_cannot_fill_leaves_a_failed_order_and_two_events(
    served: Served, caller: Caller, item: Body
) -> None:
    reserved = await served.eye.fetchval("select reserved from stocks where sku = $1", SKU)

    answer = await caller.call("OrderCreate", _create(items=[{"sku": SKU, "count": 1}, item]))

    order_id = answer.facts["order_id"]
    info = await caller.call("OrderInfo", {"orderId": order_id})
    assert (answer.code, answer.reason) == ("FAILED_PRECONDITION", "OUT_OF_STOCK")
    assert info.body["status"] == "failed"
    assert await _types(served, order_id) == ["order.new", "order.failed"]
    assert await served.eye.fetchval("select reserved from stocks where sku = $1", SKU) == reserved


Order = Callable[[Given], Awaitable[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A call on an order, what it answers, and the events it adds."""

    call: str
    order: Order
    code: str = "OK"
    reason: str = ""
    adds: tuple[str, ...] = ()


def _invalid(call: str, order_id: int) -> Situation:
    return Situation(call=call, order=_the(order_id), code="INVALID_ARGUMENT", reason="INVALID_ARGUMENT")


def _unknown(call: str, order_id: int) -> Situation:
    return Situation(call=call, order=_the(order_id), code="NOT_FOUND", reason="ORDER_NOT_FOUND")


def _illegal(call: str, order: Order) -> Situation:
    return Situation(call=call, order=order, code="FAILED_PRECONDITION", reason="ILLEGAL_TRANSITION")


def _the(order_id: int) -> Order:
    async def order(_: Given) -> int:
        return order_id

    return order


def _placed(*then: str, sku: int = SKU) -> Order:
    return lambda given: given.order(*then, sku=sku)


SITUATIONS = {
    f"{call} {name}": build(call, order_id)
    for call in ("OrderInfo", "OrderPay", "OrderCancel")
    for name, build, order_id in (
        ("order 0", _invalid, 0),
        ("below 0", _invalid, -1),
        ("unknown", _unknown, 10**9),
        ("the largest id", _unknown, LARGEST),
    )
} | {
    "pay": Situation(call="OrderPay", order=_placed(), adds=("order.paid",)),
    "pay paid": Situation(call="OrderPay", order=_placed("OrderPay")),
    "pay new": _illegal("OrderPay", Given.order_in_new),
    "pay failed": _illegal("OrderPay", _placed(sku=NOWHERE)),
    "pay cancelled": _illegal("OrderPay", _placed("OrderCancel")),
    "cancel": Situation(call="OrderCancel", order=_placed(), adds=("order.cancelled",)),
    "cancel cancelled": Situation(call="OrderCancel", order=_placed("OrderCancel")),
    "cancel new": _illegal("OrderCancel", Given.order_in_new),
    "cancel failed": _illegal("OrderCancel", _placed(sku=NOWHERE)),
    "cancel paid": _illegal("OrderCancel", _placed("OrderPay")),
}


@pytest.mark.parametrize("situation", SITUATIONS.values(), ids=SITUATIONS)
async def test_every_situation_of_an_order_has_its_answer(served: Served, caller: Caller, situation: Situation) -> None:
    order_id = await situation.order(Given(served, caller))
    before = await _types(served, order_id)

    answer = await caller.call(situation.call, {"orderId": order_id})

    assert (answer.code, answer.reason, answer.body) == (situation.code, situation.reason, {})
    assert await _types(served, order_id) == [*before, *situation.adds]


@pytest.mark.parametrize(
    ("sku", "code", "reason"),
    [
        (0, "INVALID_ARGUMENT", "INVALID_ARGUMENT"),
        (-1, "INVALID_ARGUMENT", "INVALID_ARGUMENT"),
        (NOWHERE, "NOT_FOUND", "SKU_NOT_FOUND"),
        (LARGEST, "NOT_FOUND", "SKU_NOT_FOUND"),
    ],
)
async def test_stock_of_no_such_sku_is_refused(caller: Caller, sku: int, code: str, reason: str) -> None:
    answer = await caller.call("StocksInfo", {"sku": sku})

    assert (answer.code, answer.reason) == (code, reason)


@pytest.mark.parametrize(("sku", "count"), [(1002, 180), (139818428, 0), (139819069, 0), (139275865, 65534)])
async def test_stock_is_total_minus_reserved_and_zero_is_printed(caller: Caller, sku: int, count: int) -> None:
    answer = await caller.call("StocksInfo", {"sku": sku})

    assert (answer.code, answer.body) == ("OK", {"count": count})


async def test_an_order_is_shown_with_its_summed_items_by_sku(caller: Caller) -> None:
    lines = [{"sku": SKU, "count": 2}, {"sku": 1148162, "count": 1}, {"sku": SKU, "count": 1}]

    created = await caller.call("OrderCreate", {"userId": 42, "items": lines})

    info = await caller.call("OrderInfo", {"orderId": created.body["orderId"]})
    assert (info.code, info.body) == (
        "OK",
        {
            "status": "awaiting payment",
            "userId": "42",
            "items": [{"sku": "1148162", "count": 1}, {"sku": str(SKU), "count": 3}],
        },
    )


async def test_a_repeated_create_gets_the_first_answer_marked_as_replayed(caller: Caller) -> None:
    body = _create()

    first = await caller.call("OrderCreate", body, key="again")
    second = await caller.call("OrderCreate", body, key="again")

    assert (first.code, first.replayed) == ("OK", False)
    assert (second.code, second.replayed) == ("OK", True)
    assert second.body == first.body


async def test_a_repeated_create_that_failed_fails_the_same_way(caller: Caller) -> None:
    body = _create(items=[{"sku": NOWHERE, "count": 1}])

    first = await caller.call("OrderCreate", body, key="again")
    second = await caller.call("OrderCreate", body, key="again")

    assert (first.reason, first.replayed) == ("OUT_OF_STOCK", False)
    assert (second.reason, second.replayed) == ("OUT_OF_STOCK", True)
    assert second.facts == first.facts


async def test_a_key_with_another_body_is_refused(caller: Caller) -> None:
    body = _create()
    await caller.call("OrderCreate", body, key="again")

    answer = await caller.call("OrderCreate", body | {"items": [{"sku": SKU, "count": 2}]}, key="again")

    assert (answer.code, answer.reason) == ("FAILED_PRECONDITION", "IDEMPOTENCY_KEY_REUSED")


async def test_a_key_whose_first_request_still_runs_is_answered_at_once(served: Served, caller: Caller) -> None:
    body = _create()
    name = f"idempotency:user:{body['userId']}:busy"
    await served.eye.execute("select pg_advisory_lock(hashtextextended($1, 0))", name)

    answer = await caller.call("OrderCreate", body, key="busy")

    await served.eye.execute("select pg_advisory_unlock(hashtextextended($1, 0))", name)
    assert (answer.code, answer.reason) == ("ABORTED", "REQUEST_IN_PROGRESS")


MOVES = pytest.mark.parametrize("call", ["OrderPay", "OrderCancel"])


@MOVES
async def test_a_repeated_move_gets_the_first_answer_marked_as_replayed(
    served: Served, caller: Caller, call: str
) -> None:
    order_id = await Given(served, caller).order()

    first = await caller.call(call, {"orderId": order_id}, key="again")
    types = await _types(served, order_id)
    second = await caller.call(call, {"orderId": order_id}, key="again")

    assert (first.code, first.body, first.replayed) == ("OK", {}, False)
    assert (second.code, second.body, second.replayed) == ("OK", {}, True)
    assert len(types) == 3
    assert await _types(served, order_id) == types


@MOVES
async def test_a_key_that_paid_does_not_cancel_nor_the_other_way_round(
    served: Served, caller: Caller, call: str
) -> None:
    order_id = await Given(served, caller).order()
    await caller.call(call, {"orderId": order_id}, key="again")
    [other] = {"OrderPay", "OrderCancel"} - {call}

    answer = await caller.call(other, {"orderId": order_id}, key="again")

    assert (answer.code, answer.reason) == ("FAILED_PRECONDITION", "IDEMPOTENCY_KEY_REUSED")


@MOVES
async def test_a_key_of_one_order_is_free_for_another(served: Served, caller: Caller, call: str) -> None:
    orders = [await Given(served, caller).order() for _ in range(2)]

    answers = [await caller.call(call, {"orderId": order_id}, key="again") for order_id in orders]

    assert [(answer.code, answer.replayed) for answer in answers] == [("OK", False), ("OK", False)]


@MOVES
async def test_a_move_whose_first_request_still_runs_is_answered_at_once(
    served: Served, caller: Caller, call: str
) -> None:
    order_id = await Given(served, caller).order()
    name = f"idempotency:order:{order_id}:busy"
    await served.eye.execute("select pg_advisory_lock(hashtextextended($1, 0))", name)

    answer = await caller.call(call, {"orderId": order_id}, key="busy")

    await served.eye.execute("select pg_advisory_unlock(hashtextextended($1, 0))", name)
    assert (answer.code, answer.reason) == ("ABORTED", "REQUEST_IN_PROGRESS")
    assert len(await _types(served, order_id)) == 2


@MOVES
@pytest.mark.parametrize("key", ["", "k" * 256], ids=["empty", "too long"])
async def test_a_move_with_a_key_that_cannot_be_kept_is_refused(
    served: Served, caller: Caller, call: str, key: str
) -> None:
    order_id = await Given(served, caller).order()

    answer = await caller.call(call, {"orderId": order_id}, key=key)

    assert (answer.code, answer.reason) == ("INVALID_ARGUMENT", "BAD_IDEMPOTENCY_KEY")


@pytest.mark.parametrize("key", ["", "k" * 256], ids=["empty", "too long"])
async def test_a_key_that_cannot_be_kept_is_refused(caller: Caller, key: str) -> None:
    answer = await caller.call("OrderCreate", _create(), key=key)

    assert (answer.code, answer.reason) == ("INVALID_ARGUMENT", "BAD_IDEMPOTENCY_KEY")


async def test_an_error_of_ours_says_nothing_about_itself(served: Served, caller: Caller) -> None:
    await served.eye.execute("alter table stocks rename to stocks_elsewhere")
    try:
        answer = await caller.call("StocksInfo", {"sku": SKU})
    finally:
        await served.eye.execute("alter table stocks_elsewhere rename to stocks")

    assert (answer.code, answer.reason, answer.text) == ("INTERNAL", "INTERNAL", "internal error")


async def _rows(served: Served) -> tuple[int, int]:
    row = await served.eye.fetchrow("select (select count(*) from orders), (select count(*) from outbox)")
    assert row is not None
    return row[0], row[1]


async def _types(served: Served, order_id: int | str) -> list[str]:
    rows = await served.eye.fetch("select type from outbox where key = $1 order by seq", str(order_id))
    return [row["type"] for row in rows]
