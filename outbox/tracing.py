"""The producer's spans, by hand: the client library's own instrumentation knows `send`, not batches.

Each row's span is a child of the writer's (`traceparent` in the row), and the record carries the span's own on, so that
a trace runs from the request through the relay to the consumer. Large batches pass the writer's on unchanged: a drain
of a million rows is one thing to look at, not a million.
"""

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from outbox.rows import EVENT_ID, KEY, TOPIC, Row

SPANNED_ROWS_MAX = 64

_PROPAGATOR = TraceContextTextMapPropagator()


def tracer() -> Tracer | None:
    """The library's tracer; None without an SDK: even a span that is nothing costs as much as the rest of a record."""
    if isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider | trace.NoOpTracerProvider):
        return None
    return trace.get_tracer("outbox")


class Spans:
    """The spans of one publish; none without a tracer, then the writer's trace is passed on unchanged."""

    def __init__(self, maker: Tracer | None, rows_count: int) -> None:
        self._maker = maker if rows_count <= SPANNED_ROWS_MAX else None
        self._open: list[Span] = []

    def exchange(self, row: Row, traceparent: str) -> str:
        """Begin the row's span under the writer's; returns what the record carries on."""
        if self._maker is None:
            return traceparent
        span = self._maker.start_span(
            f"publish {row[TOPIC]}",
            context=_PROPAGATOR.extract({"traceparent": traceparent}),
            kind=SpanKind.PRODUCER,
            attributes={
                "messaging.system": "kafka",
                "messaging.operation.type": "send",
                "messaging.destination.name": row[TOPIC],
                "messaging.message.id": str(row[EVENT_ID]),
                "messaging.kafka.message.key": row[KEY],
            },
        )
        self._open.append(span)
        made: dict[str, str] = {}
        _PROPAGATOR.inject(made, trace.set_span_in_context(span))
        return made.get("traceparent", traceparent)

    def end(self, failure: BaseException | None = None) -> None:
        """End every span, at the acknowledgement or at the failure."""
        for span in self._open:
            if failure is not None:
                span.set_status(Status(StatusCode.ERROR, type(failure).__name__))
            span.end()
        self._open.clear()
