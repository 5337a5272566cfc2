"""A row becomes a record: CloudEvents 1.0 binary headers, the row's own headers as they are, the body untouched.

A voided event keeps its place, id, type of headers and version, but has no body and the type `outbox.void`, so that the
versions of its key stay dense.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from outbox.message import TopicRule
from outbox.publisher import Stamp
from outbox.rows import EVENT_ID, HEADERS, KEY, OCCURRED_AT, PAYLOAD, SEQ, TOPIC, TYPE, VERSION, Row
from outbox.tracing import Spans

VOID_TYPE = "outbox.void"

Record = tuple[bytes, bytes | None, list[tuple[str, bytes]]]
"""Key, value, headers."""


class Encoder:
    """Encodes the rows of one tenure; what is the same in every record is encoded once."""

    def __init__(self, topics: Mapping[str, TopicRule], source: str) -> None:
        self._topics = topics
        self._source = source
        self._stamped: Stamp | None = None
        self._fixed: dict[str, tuple[tuple[str, bytes], ...]] = {}

    def encode(self, row: Row, stamp: Stamp, spans: Spans) -> Record:
        """The record of a row; its `traceparent` is the one `spans` gives in exchange for the row's."""
        key = row[KEY].encode()
        event_id = row[EVENT_ID]
        void = event_id in stamp.voids
        headers = [
            *self._fixed_headers(row[TOPIC], stamp),
            ("ce_id", str(event_id).encode()),
            ("ce_type", (VOID_TYPE if void else row[TYPE]).encode()),
            ("ce_time", rfc3339(row[OCCURRED_AT]).encode()),
            ("ce_subject", key),
            ("outbox_seq", b"%d" % row[SEQ]),
        ]
        if row[VERSION] is not None:
            headers.append(("ce_sequence", b"%d" % row[VERSION]))
        own = json.loads(row[HEADERS]) if row[HEADERS] is not None else {}
        traceparent = spans.exchange(row, own.pop("traceparent", None))
        if traceparent:
            headers.append(("traceparent", traceparent.encode()))
        headers.extend((name, value.encode()) for name, value in own.items())
        return key, None if void else row[PAYLOAD], headers

    def _fixed_headers(self, topic: str, stamp: Stamp) -> tuple[tuple[str, bytes], ...]:
        if self._stamped is not stamp:
            self._stamped, self._fixed = stamp, {}
        made = self._fixed.get(topic)
        if made is None:
            made = self._fixed[topic] = self._make_fixed(topic, stamp)
        return made

    def _make_fixed(self, topic: str, stamp: Stamp) -> tuple[tuple[str, bytes], ...]:
        rule = self._topics.get(topic) or TopicRule(topic, versioned=False)
        return (
            ("ce_specversion", b"1.0"),
            ("ce_source", (rule.source or self._source).encode()),
            ("content-type", rule.content_type.encode()),
            ("outbox_history", stamp.history.encode()),
            ("outbox_epoch", b"%d" % stamp.epoch),
        )


def rfc3339(moment: datetime) -> str:
    """`2026-11-21T08:00:00.123456Z`."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
