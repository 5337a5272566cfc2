"""A row becomes a record: CloudEvents 1.0 binary headers, the row's own headers as they are, the body untouched.

A voided event keeps its place, id, type of headers and version, but has no body and the type `outbox.void`, so that the
versions of its key stay dense.
"""

from collections.abc import Mapping
from datetime import datetime

import orjson

from outbox.message import VOID_TYPE, TopicRule
from outbox.publisher import Stamp
from outbox.rows import Row
from outbox.tracing import Spans

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
        seq, event_id, topic, key_text, version, kind, occurred_at, own_text, payload = row
        key = key_text.encode()
        if stamp.voids and event_id in stamp.voids:
            kind, payload = VOID_TYPE, None
        headers = [
            *self._fixed_headers(topic, stamp),
            ("ce_id", str(event_id).encode()),
            ("ce_type", kind.encode()),
            ("ce_time", rfc3339(occurred_at)),
            ("ce_subject", key),
            ("outbox_seq", b"%d" % seq),
        ]
        if version is not None:
            headers.append(("ce_sequence", b"%d" % version))
        if own_text is not None:
            headers += self._own_headers(row, own_text, spans)
        return key, payload, headers

    @staticmethod
    def _own_headers(row: Row, text: str, spans: Spans) -> list[tuple[str, bytes]]:
        """What the writer gave; the trace goes on under the relay's span."""
        own: dict[str, str] = orjson.loads(text)
        if "traceparent" in own:
            own["traceparent"] = spans.exchange(row, own["traceparent"])
        return [(name, value.encode()) for name, value in own.items()]

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


def rfc3339(moment: datetime) -> bytes:
    """`2026-11-21T08:00:00.123456Z`, of a moment in UTC, as asyncpg gives every timestamptz."""
    text = orjson.dumps(moment, option=orjson.OPT_UTC_Z)[1:-1]  # a quarter of isoformat's cost
    return text if moment.microsecond else text[:-1] + b".000000Z"
