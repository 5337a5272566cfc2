"""What append refuses, by name, before any database is asked."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from outbox import Message, TopicRule, Writer, append, errors
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


class Sized(int):
    """A whole number that is one."""


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"topic": "bad topic!"}, "topic = 'bad topic!': 1 to 249"),
        ({"topic": ""}, "topic = '': 1 to 249"),
        ({"topic": "a" * 250}, "…: 1 to 249"),
        ({"topic": None}, "topic = None"),
        ({"topic": ["orders"]}, "topic = ['orders']"),
        ({"key": "k" * 1_025}, "…: at most 1,024 bytes"),
        ({"key": "ж" * 513}, "…: at most 1,024 bytes"),
        ({"key": 42}, "key = 42: must be text"),
        ({"key": None}, "key = None: must be text"),
        ({"key": b"42"}, "key = b'42': must be text"),
        ({"key": "4\0002"}, "key = '4\\x002': holds a NUL"),
        ({"key": "\ud800"}, "key = '\\ud800': holds half of a character"),
        ({"type": "t" * 201}, "at most 200 characters"),
        ({"type": "outbox.void"}, "withdrew"),
        ({"type": None}, "type = None: must be text"),
        ({"type": "a\0"}, "type = 'a\\x00': holds a NUL"),
        ({"version": 1.5}, "version = 1.5: must be a whole number"),
        ({"version": True}, "version = True: must be a whole number"),
        ({"version": "1"}, "version = '1': must be a whole number"),
        ({"version": 2**63}, "at most 9223372036854775807"),
        ({"payload": "text"}, "payload = 'text': must be bytes"),
        ({"payload": None}, "payload = None: must be bytes"),
        ({"headers": [("a", "b")]}, "must be a mapping"),
        ({"headers": {1: "b"}}, "header name = 1: must be text"),
        ({"headers": {"note": 7}}, "note = 7: must be text"),
        ({"headers": {"note": "\0"}}, "holds a NUL"),
        ({"headers": {"\ud800": "x"}}, "holds half of a character"),
        ({"occurred_at": datetime(2026, 1, 1)}, "must be an aware moment"),  # noqa: DTZ001 - naive on purpose
        ({"occurred_at": "2026-01-01"}, "must be an aware moment"),
        ({"event_id": "7"}, "event_id = '7': must be a UUID"),
    ],
)
async def test_a_field_nobody_would_take_is_named_with_its_value_and_bound(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(errors.AppendRefused) as refused:
        await _append(replace(GOOD, **wrong))

    assert said in str(refused.value)
    assert len(str(refused.value)) < 200
    with pytest.raises(errors.AppendRefused):
        await append(NoConnection(), replace(GOOD, **wrong))  # type: ignore[arg-type]  # refused before it matters


async def test_what_lies_within_every_bound_is_sent() -> None:
    bounds: dict[str, Any] = {
        "key": "ж" * 512,
        "type": "t" * 200,
        "version": Sized(2**63 - 1),
        "payload": bytearray(b"{}"),
    }

    with pytest.raises(AssertionError):
        await _append(replace(GOOD, **bounds))


async def test_many_small_headers_count_with_what_frames_them() -> None:
    many = replace(GOOD, headers={f"h{number:03}": "" for number in range(700)})

    with pytest.raises(errors.MessageTooLarge):
        await _append(many)


@pytest.mark.parametrize("name", ["", "bad topic!", "a" * 250, ".", ".."])
def test_a_rule_for_a_topic_that_can_never_exist_is_refused(name: str) -> None:
    with pytest.raises(errors.FieldRefused, match="topic = "):
        TopicRule(name, versioned=True)


def test_a_rule_that_lets_nothing_pass_is_refused() -> None:
    with pytest.raises(errors.FieldRefused, match="max_bytes = 0: must be above"):
        TopicRule("orders", versioned=True, max_bytes=0)


@pytest.mark.parametrize("nothing", [None, object()])
async def test_what_is_no_connection_is_refused(nothing: Any) -> None:
    with pytest.raises(errors.NotAConnection, match="give it an asyncpg connection"):
        await append(nothing, GOOD)


async def test_the_largest_message_allowed_is_counted_with_key_type_and_headers() -> None:
    room = ORDERS.max_bytes - RELAY_OVERHEAD_BYTES - len("loms") - 2 * len("42") - len("order.new")
    largest = replace(GOOD, payload=b"x" * room)

    with pytest.raises(AssertionError):
        await _append(largest)
    with pytest.raises(errors.MessageTooLarge) as refused:
        await _append(replace(largest, payload=b"x" * (room + 1)))

    assert (refused.value.size_bytes, refused.value.limit_bytes) == (8_973, 8_972)


def test_size_counts_bytes_not_letters() -> None:
    assert size_bytes(replace(GOOD, key="ж", type="t", payload=b"", headers={"н": "я"})) == 4 + 1 + 4 + 10


async def test_no_messages_are_no_statement() -> None:
    assert await Writer([ORDERS]).append(NoConnection()) == []  # type: ignore[arg-type]  # never used
