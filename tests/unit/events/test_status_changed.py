"""The body of an order event: exactly what the contract says, in both directions."""

import json
from datetime import UTC, datetime, timedelta, timezone
from importlib import resources
from importlib.resources.abc import Traversable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import moments
from events.errors import InvalidEvent, UndecodableEvent
from events.order.v1 import STATUSES, TYPES, OrderStatusChanged, decode, encode, type_of

MOMENT = datetime(2026, 11, 21, 8, 0, 0, 123456, tzinfo=UTC)
FOLDER = resources.files("events.order.v1")
EXAMPLES = {item.name: item for item in FOLDER.joinpath("examples").iterdir()}


def test_the_body_is_exactly_the_contracts_text() -> None:
    body = encode(OrderStatusChanged(order_id=42, status="paid", moment=MOMENT))

    assert body == b'{"order_id": 42, "status": "paid", "moment": "2026-11-21T08:00:00.123456Z"}'


def test_a_moment_on_the_whole_second_is_written_with_six_decimals() -> None:
    body = encode(OrderStatusChanged(order_id=42, status="new", moment=datetime(2026, 11, 21, 8, tzinfo=UTC)))

    assert b'"moment": "2026-11-21T08:00:00.000000Z"' in body


def test_a_moment_of_another_zone_is_written_in_utc() -> None:
    in_moscow = MOMENT.astimezone(timezone(timedelta(hours=3)))

    assert b'"moment": "2026-11-21T08:00:00.123456Z"' in encode(OrderStatusChanged(42, "paid", in_moscow))


def test_the_statuses_are_those_of_the_contract() -> None:
    assert STATUSES == ("new", "awaiting payment", "paid", "failed", "cancelled")


def test_each_status_has_its_event_type() -> None:
    assert dict(TYPES) == {
        "new": "order.new",
        "awaiting payment": "order.awaiting_payment",
        "paid": "order.paid",
        "failed": "order.failed",
        "cancelled": "order.cancelled",
    }
    assert [type_of(status) for status in STATUSES] == list(TYPES.values())


def test_an_unknown_status_has_no_type() -> None:
    with pytest.raises(InvalidEvent, match="status must be one of new, awaiting payment"):
        type_of("payed")


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_every_example_ever_published_is_still_decoded(example: Traversable) -> None:
    body = example.read_bytes()

    event = decode(body)

    assert encode(event) == body


def test_there_is_an_example_of_every_status() -> None:
    assert {json.loads(example.read_bytes())["status"] for example in EXAMPLES.values()} == set(STATUSES)


@given(
    order_id=st.integers(1, 2**63 - 1),
    status=st.sampled_from(STATUSES),
    moment=st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001 - given one
)
def test_what_is_encoded_is_decoded_to_the_same_event(order_id: int, status: str, moment: datetime) -> None:
    event = OrderStatusChanged(order_id, status, moment)

    assert decode(encode(event)) == event


@pytest.mark.parametrize("moment", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_the_ends_of_time_are_no_moments(moment: datetime) -> None:
    """A database takes them for infinite, and what is counted from them has no end."""
    with pytest.raises(InvalidEvent, match="moment must be between the first year and the last"):
        OrderStatusChanged(42, "new", moment)

    with pytest.raises(UndecodableEvent, match="moment must be RFC 3339 in UTC"):
        decode(_body(moment=f'"{moments.to_text(moment)}"'))


def test_another_order_of_the_fields_and_other_spaces_are_the_same_event() -> None:
    body = b'{"moment":"2026-11-21T08:00:00.123456Z",\n "status":"paid","order_id":42}'

    assert decode(body) == OrderStatusChanged(42, "paid", MOMENT)


def test_a_moment_with_fewer_decimals_is_understood() -> None:
    assert decode(_body(moment='"2026-11-21T08:00:00Z"')).moment == datetime(2026, 11, 21, 8, tzinfo=UTC)
    assert decode(_body(moment='"2026-11-21T08:00:00.12Z"')).moment.microsecond == 120000


@pytest.mark.parametrize(
    ("body", "field", "bound"),
    [
        (b"", "body", "JSON in UTF-8"),
        (b"\xff\xfe", "body", "JSON in UTF-8"),
        (b"{", "body", "JSON in UTF-8"),
        (b"[" * 100_000, "body", "JSON in UTF-8"),
        (b"null", "body", "a JSON object"),
        (b"[]", "body", "a JSON object"),
        (b"{}", "body", "an object with exactly the fields moment, order_id, status"),
        (
            b'{"order_id": 42, "status": "paid", "moment": "2026-11-21T08:00:00.123456Z", "user_id": 7}',
            "body",
            "an object with exactly the fields moment, order_id, status",
        ),
        (
            b'{"order_id": 42, "order_id": 43, "status": "paid", "moment": "2026-11-21T08:00:00.123456Z"}',
            "body",
            "an object that names each field once",
        ),
    ],
)
def test_a_body_that_is_not_the_object_is_refused(body: bytes, field: str, bound: str) -> None:
    with pytest.raises(UndecodableEvent) as refusal:
        decode(body)

    assert (refusal.value.field, refusal.value.bound) == (field, bound)


@pytest.mark.parametrize("order_id", ['"42"', "42.0", "true", "null", "0", "-1", "9223372036854775808", "NaN", "1e3"])
def test_an_order_id_that_is_no_positive_64_bit_integer_is_refused(order_id: str) -> None:
    with pytest.raises(UndecodableEvent, match="order_id must be an integer from 1 to 9223372036854775807"):
        decode(_body(order_id=order_id))


@pytest.mark.parametrize("status", ['"payed"', '"PAID"', '""', "1", "null", '["paid"]'])
def test_a_status_outside_the_contract_is_refused(status: str) -> None:
    with pytest.raises(UndecodableEvent, match="status must be"):
        decode(_body(status=status))


@pytest.mark.parametrize(
    "moment",
    [
        '"2026-11-21T08:00:00.123456"',
        '"2026-11-21T08:00:00.123456+00:00"',
        '"2026-11-21T11:00:00.123456+03:00"',
        '"2026-11-21 08:00:00.123456Z"',
        '"2026-11-21"',
        '"2026-02-30T08:00:00Z"',
        '"2026-11-21T24:00:00Z"',
        '"2026-11-21T08:00:00.1234567Z"',
        '"2026-11-21T08:00:00.123456Z\\n"',
        '"٢٠٢٦-11-21T08:00:00Z"',
        "1763712000",
        "null",
    ],
)
def test_a_moment_that_is_not_rfc_3339_in_utc_is_refused(moment: str) -> None:
    with pytest.raises(UndecodableEvent, match="moment must be"):
        decode(_body(moment=moment))


def test_a_long_wrong_value_is_cut_in_the_text() -> None:
    with pytest.raises(UndecodableEvent) as refusal:
        decode(_body(status=f'"{"x" * 10_000}"'))

    assert len(str(refusal.value)) < 250


@given(st.binary(max_size=200))
def test_no_bytes_make_the_decoder_fail_in_another_way(body: bytes) -> None:
    try:
        decode(body)
    except UndecodableEvent as refusal:
        assert refusal.field  # noqa: PT017 - either outcome is right, any other exception is the failure


@pytest.mark.parametrize(
    "wrong",
    [
        {"order_id": 0},
        {"order_id": True},
        {"order_id": 2**63},
        {"status": "payed"},
        {"moment": datetime(2026, 11, 21, 8)},  # noqa: DTZ001 - a naive moment is what is refused
    ],
    ids=str,
)
def test_an_event_the_contract_does_not_allow_cannot_be_made(wrong: dict[str, object]) -> None:
    facts: dict[str, object] = {"order_id": 42, "status": "paid", "moment": MOMENT}

    with pytest.raises(InvalidEvent):
        OrderStatusChanged(**{**facts, **wrong})  # type: ignore[arg-type] # wrong on purpose


def test_the_schema_beside_the_code_says_the_same() -> None:
    schema = json.loads(FOLDER.joinpath("status_changed.schema.json").read_text(encoding="utf-8"))

    assert schema["additionalProperties"] is False
    assert schema["required"] == ["order_id", "status", "moment"]
    assert list(schema["properties"]) == schema["required"]
    assert schema["properties"]["status"]["enum"] == list(STATUSES)
    assert schema["properties"]["order_id"]["maximum"] == 2**63 - 1
    assert schema["properties"]["order_id"]["minimum"] == 1


def test_the_schema_and_the_decoder_read_moments_by_one_pattern() -> None:
    schema = json.loads(FOLDER.joinpath("status_changed.schema.json").read_text(encoding="utf-8"))

    assert schema["properties"]["moment"]["pattern"] == moments.PATTERN


def _body(*, order_id: str = "42", status: str = '"paid"', moment: str = '"2026-11-21T08:00:00.123456Z"') -> bytes:
    return f'{{"order_id": {order_id}, "status": {status}, "moment": {moment}}}'.encode()
