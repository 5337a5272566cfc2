"""A record is applied, counted as withdrawn, or set aside: never nothing."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from services.projection.consumers.order_events import OrderEvents, Record
from services.projection.service.projection import Projection

BODY = b'{"order_id": 42, "status": "paid", "moment": "2026-11-24T12:00:00.000001Z"}'
HEADERS = {"ce_type": b"order.paid", "ce_sequence": b"3", "ce_userid": b"7"}


class SetAside:
    """Keeps what was set aside, with the reasons."""

    def __init__(self) -> None:
        self.records: list[tuple[Record, str]] = []

    async def send(self, record: Record, reason: str) -> None:
        self.records.append((record, reason))


class NowhereToSetAside:
    """The dead-letter topic is away."""

    async def send(self, record: Record, reason: str) -> None:
        raise ConnectionError(f"{reason}: no broker for {record.offset}")


def a_record(
    *, key: bytes | None = b"42", value: bytes | None = BODY, headers: Mapping[str, bytes] | None = None
) -> Record:
    return Record(
        topic="loms.order-events",
        partition=1,
        offset=17,
        key=key,
        value=value,
        headers=HEADERS if headers is None else headers,
    )


async def test_an_event_is_applied() -> None:
    projection, aside = Projection(), SetAside()

    await OrderEvents(projection=projection, dead_letters=aside)(a_record())

    view = projection.order(42)
    assert view is not None
    assert (view.status, view.version, view.user_id) == ("paid", 3, 7)
    assert view.changed_at == datetime(2026, 11, 24, 12, 0, 0, 1, tzinfo=UTC)
    assert aside.records == []


async def test_a_withdrawn_event_is_passed_over() -> None:
    aside = SetAside()

    await OrderEvents(projection=Projection(), dead_letters=aside)(
        a_record(value=None, headers={"ce_type": b"outbox.void"})
    )

    assert aside.records == []


@pytest.mark.parametrize(
    "record",
    [
        a_record(value=b"{"),
        a_record(value=None),
        a_record(value=BODY.replace(b"paid", b"lost")),
        a_record(key=None),
        a_record(key=b"43"),
        a_record(headers={}),
        a_record(headers=HEADERS | {"ce_sequence": b"0"}),
        a_record(headers=HEADERS | {"ce_sequence": "٣".encode()}),
        a_record(headers=HEADERS | {"ce_userid": b"\xff"}),
        a_record(headers=HEADERS | {"ce_sequence": b"9" * 25}),
        a_record(headers=HEADERS | {"ce_userid": b"9223372036854775808"}),
    ],
    ids=[
        "broken",
        "empty",
        "unknown status",
        "no key",
        "foreign key",
        "no headers",
        "zero",
        "not ascii",
        "no text",
        "25 nines",
        "beyond 64 bits",
    ],
)
async def test_what_cannot_be_read_is_set_aside_as_it_came(record: Record) -> None:
    projection, aside = Projection(), SetAside()

    await OrderEvents(projection=projection, dead_letters=aside)(record)

    assert [each for each, _ in aside.records] == [record]
    assert projection.statuses() == {}


async def test_what_can_be_neither_applied_nor_set_aside_is_raised() -> None:
    handle = OrderEvents(projection=Projection(), dead_letters=NowhereToSetAside())

    with pytest.raises(ConnectionError):
        await handle(a_record(value=b"{"))
