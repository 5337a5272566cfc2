"""A row becomes a record, its trace goes on under the relay's span."""

from datetime import UTC, datetime

from opentelemetry.trace import StatusCode

from outbox.message import RELAY_HEADERS, RELAY_OVERHEAD_BYTES, Message, TopicRule, size_bytes
from outbox.publisher import Stamp
from outbox.records import Encoder, rfc3339
from outbox.tracing import SPANNED_ROWS_MAX, Spans, tracer
from tests.outbox_rows import a_row
from tests.recorded_spans import recorded_spans

STAMP = Stamp(history="7300/1", epoch=3, voids=frozenset())
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def _headers(row: tuple[object, ...], spans: Spans) -> dict[str, str]:
    encoder = Encoder({"orders": TopicRule("orders", versioned=True)}, "loms")
    return {name: value.decode() for name, value in encoder.encode(row, STAMP, spans)[2]}


def test_moments_are_written_to_the_microsecond() -> None:
    assert rfc3339(datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)) == b"2026-01-02T03:04:05.000006Z"
    assert rfc3339(datetime(2026, 11, 21, 8, 0, tzinfo=UTC)) == b"2026-11-21T08:00:00.000000Z"


def test_the_record_goes_on_under_the_relays_span() -> None:
    with recorded_spans() as exporter:
        spans = Spans(tracer(), 1)
        headers = _headers(a_row("orders", 1, headers=f'{{"traceparent": "{PARENT}"}}'), spans)
        spans.end()

        [span] = exporter.get_finished_spans()
    assert span.name == "publish orders"
    assert span.parent is not None
    assert (f"{span.parent.trace_id:032x}", f"{span.parent.span_id:016x}") == tuple(PARENT.split("-")[1:3])
    assert headers["traceparent"] == f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-01"


def test_a_failed_publish_says_so_in_its_spans() -> None:
    with recorded_spans() as exporter:
        spans = Spans(tracer(), 1)
        _headers(a_row("orders", 1, headers=f'{{"traceparent": "{PARENT}"}}'), spans)
        spans.end(TimeoutError())

        [span] = exporter.get_finished_spans()
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "TimeoutError")


def test_a_large_batch_passes_the_writers_trace_on() -> None:
    with recorded_spans() as exporter:
        spans = Spans(tracer(), SPANNED_ROWS_MAX + 1)
        headers = _headers(a_row("orders", 1, headers=f'{{"traceparent": "{PARENT}"}}'), spans)
        spans.end()

        assert exporter.get_finished_spans() == ()
    assert headers["traceparent"] == PARENT


def test_without_a_tracer_the_writers_trace_is_passed_on() -> None:
    headers = _headers(a_row("orders", 1, headers=f'{{"traceparent": "{PARENT}"}}'), Spans(None, 1))

    assert headers["traceparent"] == PARENT


def test_a_row_without_a_trace_gets_none() -> None:
    assert "traceparent" not in _headers(a_row("orders", 1), Spans(tracer(), 1))


def test_the_relays_headers_fit_what_append_keeps_free() -> None:
    """The widest a record can be beyond what append counts."""
    message = Message(topic="orders", key="9" * 19, type="order.awaiting_payment", payload=b"", version=2**63 - 1)
    row = a_row("orders", 2**63 - 1, key=message.key, payload=b"", type=message.type)
    widest = Stamp(history="18446744073709551615/4294967295", epoch=2**63 - 1, voids=frozenset())

    key, value, headers = Encoder({}, "").encode(row, widest, Spans(tracer(), 1))

    framing = 100 + 10 * len(headers)
    record_bytes = len(key) + len(value or b"") + sum(len(name) + len(text) for name, text in headers) + framing
    assert record_bytes - size_bytes(message) < RELAY_OVERHEAD_BYTES
    assert {name for name, _ in headers} <= RELAY_HEADERS
