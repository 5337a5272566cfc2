"""Reading the envelope of a record: strict about what matters, never raising."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inbox.event import Arrival, Event, Keyless, identity, read
from inbox.parking import decode_headers, encode_headers

EVENT_ID = UUID("01934b0e-7b1a-7c3e-9d1f-1a2b3c4d5e6f")
HEADERS: dict[str, bytes] = {
    "ce_id": str(EVENT_ID).encode(),
    "ce_type": b"order.paid",
    "ce_time": b"2026-11-21T08:00:00.123456Z",
    "ce_sequence": b"3",
    "traceparent": b"00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01",
}


@dataclass(frozen=True)
class Received:
    topic: str = "orders"
    partition: int = 1
    offset: int = 7
    timestamp: int = 0
    key: bytes | None = b"42"
    value: bytes | None = b"{}"
    headers: Sequence[tuple[str, bytes | None]] = field(default_factory=lambda: list(HEADERS.items()))


def received(*, key: bytes | None = b"42", value: bytes | None = b"{}", **changed: bytes | None) -> Received:
    headers: dict[str, Any] = {**HEADERS, **changed}
    return Received(key=key, value=value, headers=[(n, v) for n, v in headers.items() if v is not None])


def test_a_well_formed_record_is_an_event() -> None:
    arrival = read(Received(), versioned=True)

    assert isinstance(arrival, Arrival)
    assert arrival.event == Event(
        topic="orders",
        partition=1,
        offset=7,
        key="42",
        version=3,
        event_id=EVENT_ID,
        type="order.paid",
        occurred_at=datetime(2026, 11, 21, 8, 0, 0, 123456, UTC),
        headers={name: value.decode() for name, value in HEADERS.items()},
        payload=b"{}",
    )


def test_headers_are_text_whatever_their_bytes_are_and_a_missing_value_is_a_missing_header() -> None:
    twice: list[tuple[str, bytes | None]] = [
        ("ce_userid", b"1"),
        ("ce_userid", b"7"),
        ("odd", b"\xff"),
        ("empty", None),
    ]

    arrival = read(Received(headers=[*HEADERS.items(), *twice]), versioned=True)

    assert isinstance(arrival, Arrival)
    assert arrival.event is not None
    assert dict(arrival.event.headers) == {
        **{name: value.decode() for name, value in HEADERS.items()},
        "ce_userid": "7",
        "odd": "\N{REPLACEMENT CHARACTER}",
    }
    assert arrival.event.headers.get("empty") is None


@pytest.mark.parametrize("spelling", ["urn:uuid:{}", "{{{}}}"])
def test_an_event_id_may_be_spelled_as_uuids_are(spelling: str) -> None:
    arrival = read(received(ce_id=spelling.format(EVENT_ID).encode()), versioned=True)

    assert arrival.event_id == EVENT_ID


def test_a_topic_without_versions_needs_none() -> None:
    arrival = read(received(ce_sequence=None), versioned=False)

    assert isinstance(arrival, Arrival)
    assert (arrival.fault, arrival.version) == (None, None)


@pytest.mark.parametrize(
    ("header", "value", "fault"),
    [
        ("ce_id", None, "header ce_id is missing"),
        ("ce_id", b"seven", "header ce_id is not a UUID"),
        ("ce_type", None, "header ce_type is missing"),
        ("ce_type", b"a\x00b", "header ce_type is not a name"),
        ("ce_time", b"yesterday", "header ce_time is not RFC 3339"),
        ("ce_time", b"2026-11-21T08:00:00", "header ce_time has no zone"),
        ("ce_time", b"0001-01-01T00:00:00+01:00", "header ce_time is no moment of the years 1 to 9999 in UTC"),
        ("ce_time", b"9999-12-31T23:59:59-01:00", "header ce_time is no moment of the years 1 to 9999 in UTC"),
        ("ce_sequence", None, "header ce_sequence is missing"),
        ("ce_sequence", b"0", "header ce_sequence is not in 1..9223372036854775807"),
        ("ce_sequence", b"-1", "header ce_sequence is not a positive decimal number"),
        ("ce_sequence", b"1_000", "header ce_sequence is not a positive decimal number"),
        ("ce_sequence", "\u0663".encode(), "header ce_sequence is not a positive decimal number"),
        ("ce_sequence", b"9" * 19, "header ce_sequence is not in 1..9223372036854775807"),
        ("ce_sequence", b"9" * 5000, "header ce_sequence is not a positive decimal number"),
    ],
)
def test_a_broken_header_makes_the_record_unreadable_but_keeps_its_key(
    header: str, value: bytes | None, fault: str
) -> None:
    arrival = read(received(**{header: value}), versioned=True)

    assert isinstance(arrival, Arrival)
    assert (arrival.key, arrival.event, arrival.fault) == ("42", None, fault)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (None, "no key"),
        (b"", "no key"),
        (b"\xff\xfe", "key is not UTF-8"),
        (b"4\x002", "key contains NUL"),
        (b"x" * 1025, "key of 1025 bytes, at most 1024"),
    ],
)
def test_a_record_without_a_usable_key_is_keyless(key: bytes | None, reason: str) -> None:
    reading = read(received(key=key), versioned=True)

    assert isinstance(reading, Keyless)
    assert reading.reason == reason
    assert reading.event_id == EVENT_ID


def test_an_unnamed_record_is_recognised_by_its_place_and_its_bytes() -> None:
    nameless = received(ce_id=None)

    assert identity(nameless) == identity(received(ce_id=None))
    assert identity(nameless) != identity(received(ce_id=None, value=b"other"))


def test_a_record_without_a_body_that_says_void_is_void() -> None:
    withdrawn = read(received(value=None, ce_type=b"outbox.void"), versioned=True)
    ordinary = read(received(value=None), versioned=True)

    assert isinstance(withdrawn, Arrival)
    assert withdrawn.void
    assert isinstance(ordinary, Arrival)
    assert not ordinary.void


header_values = st.one_of(st.none(), st.binary(max_size=20), st.text(max_size=20).map(str.encode))
header_names = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)


@given(st.lists(st.tuples(header_names, header_values), max_size=6))
def test_headers_come_back_from_the_table_exactly_as_they_went_in(headers: list[tuple[str, bytes | None]]) -> None:
    assert decode_headers(encode_headers(headers)) == headers


@given(
    key=st.one_of(st.none(), st.binary(max_size=30)),
    value=st.one_of(st.none(), st.binary(max_size=30)),
    headers=st.lists(
        st.tuples(st.sampled_from(["ce_id", "ce_type", "ce_time", "ce_sequence", "x"]), header_values), max_size=8
    ),
    versioned=st.booleans(),
)
def test_reading_never_raises(
    *, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]], versioned: bool
) -> None:
    reading = read(Received(key=key, value=value, headers=headers), versioned=versioned)

    assert reading.event_id == identity(reading.record)
