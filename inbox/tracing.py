"""One consumer span per event, made by hand: it continues the trace the record carries, and lasts until the commit."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from inbox.event import Event

_CARRIER = TraceContextTextMapPropagator()


@contextmanager
def spans(tracer: trace.Tracer, consumer: str, events: Sequence[Event]) -> Iterator[list[Event]]:
    """Open a span per event; yield the events, each carrying its own span as `traceparent`.

    The spans end with the block, with an error status if it raised. Where nobody set up tracing the events go through
    as they are.
    """
    if isinstance(tracer, trace.ProxyTracer | trace.NoOpTracer):
        yield list(events)
        return
    opened = [_open(tracer, consumer, event) for event in events]
    try:
        yield [_carrying(event, span) for event, span in zip(events, opened, strict=True)]
    except BaseException as error:
        for span in opened:
            span.set_status(trace.StatusCode.ERROR, type(error).__name__)
        raise
    finally:
        for span in opened:
            span.end()


def _open(tracer: trace.Tracer, consumer: str, event: Event) -> trace.Span:
    parent = _CARRIER.extract(event.headers, context=Context())
    return tracer.start_span(
        f"process {event.topic}",
        context=parent,
        kind=trace.SpanKind.CONSUMER,
        attributes={
            "messaging.system": "kafka",
            "messaging.operation.type": "process",
            "messaging.destination.name": event.topic,
            "messaging.destination.partition.id": str(event.partition),
            "messaging.kafka.offset": event.offset,
            "messaging.message.id": str(event.event_id),
            "messaging.consumer.group.name": consumer,
        },
    )


def _carrying(event: Event, span: trace.Span) -> Event:
    context = span.get_span_context()
    if not context.is_valid:
        return event
    own = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    if event.headers.get("traceparent") == own:
        return event
    return event._replace(headers={**event.headers, "traceparent": own})
