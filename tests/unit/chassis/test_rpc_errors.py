"""A refusal is answered by its name, its text and its facts, within what response metadata can carry."""

from dataclasses import dataclass

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from protovalidate import FieldPathElementPb, FieldPathPb, Violation

from chassis import rpc_errors
from chassis.rpc_errors import Answer, reason_of, refused


class OrderNotFound(Exception):
    def __init__(self, order_id: int) -> None:
        super().__init__(f"order {order_id} not found")
        self.order_id = order_id
        self._note = "private"


class Unavailable(Exception):
    pass


class StockUnavailable(Unavailable):
    pass


@dataclass(frozen=True, slots=True)
class SkuGone(Exception):
    sku: int

    def __str__(self) -> str:
        return f"sku {self.sku} is gone"


REFUSALS = {
    OrderNotFound: grpc.StatusCode.NOT_FOUND,
    Unavailable: grpc.StatusCode.UNAVAILABLE,
    SkuGone: grpc.StatusCode.FAILED_PRECONDITION,
}


def test_a_listed_refusal_has_its_code_name_text_and_public_facts() -> None:
    assert refused(OrderNotFound(7), REFUSALS) == Answer(
        code=grpc.StatusCode.NOT_FOUND,
        reason="ORDER_NOT_FOUND",
        text="order 7 not found",
        metadata={"order_id": "7"},
    )


def test_the_facts_of_a_slotted_refusal_are_told_too() -> None:
    answer = refused(SkuGone(5), REFUSALS)

    assert answer is not None
    assert (answer.text, dict(answer.metadata)) == ("sku 5 is gone", {"sku": "5"})


def test_a_subclass_is_answered_as_its_base_under_its_own_name() -> None:
    answer = refused(StockUnavailable("later"), REFUSALS)

    assert answer is not None
    assert (answer.code, answer.reason) == (grpc.StatusCode.UNAVAILABLE, "STOCK_UNAVAILABLE")


def test_an_error_nobody_listed_is_no_refusal() -> None:
    assert refused(KeyError("x"), REFUSALS) is None


def test_a_group_of_listed_refusals_is_answered_as_its_first() -> None:
    group = ExceptionGroup("two tasks", [ExceptionGroup("one", [OrderNotFound(7)]), SkuGone(5)])

    answer = refused(group, REFUSALS)

    assert answer is not None
    assert (answer.code, answer.reason) == (grpc.StatusCode.NOT_FOUND, "ORDER_NOT_FOUND")


def test_a_group_with_an_error_of_ours_is_no_refusal() -> None:
    assert refused(ExceptionGroup("two tasks", [OrderNotFound(7), KeyError("x")]), REFUSALS) is None


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("OrderNotFound", "ORDER_NOT_FOUND"),
        ("IdempotencyKeyReused", "IDEMPOTENCY_KEY_REUSED"),
        ("HTTPRefused", "HTTP_REFUSED"),
        ("Sha256Wrong", "SHA256_WRONG"),
    ],
)
def test_the_reason_is_the_name_in_upper_snake(name: str, reason: str) -> None:
    assert reason_of(type(name, (Exception,), {})) == reason


def test_a_refusal_with_long_facts_still_fits_response_metadata() -> None:
    class Huge(Exception):
        def __init__(self) -> None:
            super().__init__("x" * 100_000)
            for number in range(100):
                setattr(self, f"fact_{number}", "y" * 10_000)

    answer = refused(Huge(), {Huge: grpc.StatusCode.ABORTED})

    assert answer is not None
    assert len(answer.status_details("shop")) < 4_096


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (-5, "-5"),
        ("short", "short"),
        ("x" * 100, "x" * 64 + "…"),
        ([1, 2, 3], "3 items"),
        (status_pb2.Status(message="inside"), "a message"),
    ],
    ids=["a number", "a text", "a long text", "a list", "a message"],
)
def test_a_refused_value_is_shown_within_bounds(value: object, shown: str) -> None:
    path = FieldPathPb(elements=[FieldPathElementPb(field_name="note")])
    violation = Violation(field_value=value, field=path, rule_id="rule", message="must be otherwise")

    answer = rpc_errors.invalid([violation])

    assert answer.text == f"note: must be otherwise, not {shown}"
    assert answer.metadata["value"] == shown


def test_a_rule_of_a_whole_message_is_told_without_a_path() -> None:
    violation = Violation(field_value=None, rule_id="order.sum", message="the sum is too large")

    assert rpc_errors.invalid([violation]).text == "the sum is too large"


def test_an_error_of_ours_tells_only_where_to_look() -> None:
    status = status_pb2.Status.FromString(rpc_errors.internal("ab" * 16).status_details("shop"))
    info = error_details_pb2.ErrorInfo()
    status.details[0].Unpack(info)

    assert (status.code, status.message) == (13, "internal error")
    assert (info.reason, info.domain, dict(info.metadata)) == ("INTERNAL", "shop", {"trace_id": "ab" * 16})
