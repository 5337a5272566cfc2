"""What append refuses, by name, before any database is asked."""

from dataclasses import replace

import pytest

from outbox import Message, TopicRule, Writer, errors
from outbox.message import RELAY_OVERHEAD_BYTES, size_bytes

ORDERS = TopicRule("orders", versioned=True, max_bytes=10_000, source="loms")
AUDIT = TopicRule("audit", versioned=False)
GOOD = Message(topic="orders", key="42", type="order.new", payload=b"{}", version=1)


class NoConnection:
    """Stands where a connection would: reached only by messages nobody refused."""

    def is_in_transaction(self) -> bool:
        return True

    async def execute(self, query: str, *args: object) -> str:
        raise AssertionError(query, args)


async def _append(message: Message) -> None:
    await Writer([ORDERS, AUDIT]).append(NoConnection(), message)  # type: ignore[arg-type]  # refused before it matters


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        (replace(GOOD, key=""), errors.EmptyKey),
        (replace(GOOD, type=""), errors.EmptyType),
        (replace(GOOD, version=0), errors.VersionBelowOne),
        (replace(GOOD, version=None), errors.VersionMissing),
        (replace(GOOD, topic="audit"), errors.VersionUnexpected),
        (replace(GOOD, topic="unheard-of"), errors.UnknownTopic),
        (replace(GOOD, headers={"ce_id": "mine"}), errors.ReservedHeader),
        (replace(GOOD, payload=b"x" * 10_000), errors.MessageTooLarge),
        (replace(GOOD, headers={"note": "x" * 10_000}), errors.MessageTooLarge),
    ],
)
async def test_a_malformed_message_is_refused_by_name(wrong: Message, refusal: type[errors.AppendRefused]) -> None:
    with pytest.raises(refusal):
        await _append(wrong)


async def test_the_largest_message_allowed_is_counted_with_key_type_and_headers() -> None:
    room = ORDERS.max_bytes - RELAY_OVERHEAD_BYTES - len("loms") - 2 * len("42") - len("order.new")
    largest = replace(GOOD, payload=b"x" * room)

    with pytest.raises(AssertionError):
        await _append(largest)
    with pytest.raises(errors.MessageTooLarge) as refused:
        await _append(replace(largest, payload=b"x" * (room + 1)))

    assert (refused.value.size_bytes, refused.value.limit_bytes) == (8_973, 8_972)


def test_size_counts_bytes_not_letters() -> None:
    assert size_bytes(replace(GOOD, key="ж", type="t", payload=b"", headers={"н": "я"})) == 4 + 1 + 4


async def test_no_messages_are_no_statement() -> None:
    assert await Writer([ORDERS]).append(NoConnection()) == []  # type: ignore[arg-type]  # never used
