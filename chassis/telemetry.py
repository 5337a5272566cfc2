"""Traces: one provider per process, W3C `traceparent` in and out.

Spans are always made, so that logs carry their ids; they are exported only where an OTLP endpoint is given. A collector
that is away costs spans, never a request and never more than a few seconds of a stop.
"""

import asyncio
from collections.abc import Mapping

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, Sampler, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_EXPORT_SECONDS_MAX = 2.0
_QUEUE_SPANS_MAX = 8_192
_BATCH_SPANS_MAX = 512

_PROPAGATOR = TraceContextTextMapPropagator()


class Telemetry:
    """The tracing of this process as a component; list it first, so that it stops last and loses no span."""

    name = "telemetry"

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._stopped = False

    async def start(self) -> None:
        """Do nothing: spans are made from the moment of `configure`."""

    async def stop(self) -> None:
        """Export what is still queued, within a few seconds, and end the exporter's thread."""
        if not self._stopped:
            self._stopped = True
            await asyncio.to_thread(self._provider.shutdown)


def configure(
    service: str,
    process: str,
    otlp_endpoint: str | None,
    *,
    sampled_ratio: float = 1.0,
    schedule_delay_seconds: float = 0.2,
) -> Telemetry:
    """Install the tracer provider of this process; with an endpoint (OTLP over gRPC) its spans are exported.

    A span is exported about `schedule_delay_seconds` after its end. A request that comes with a sampling decision keeps
    it; of the others `sampled_ratio` are sampled.
    """
    provider = TracerProvider(
        sampler=ParentBased(_sampler(sampled_ratio)),
        resource=Resource.create({"service.name": service, "process": process}),
        shutdown_on_exit=False,
    )
    if otlp_endpoint:
        provider.add_span_processor(_exporting(otlp_endpoint, schedule_delay_seconds))
    trace.set_tracer_provider(provider)
    return Telemetry(provider)


def inject() -> dict[str, str]:
    """Return the current span as headers: `{"traceparent": …}`, or nothing outside a span."""
    headers: dict[str, str] = {}
    _PROPAGATOR.inject(headers)
    return headers


def extracted(headers: Mapping[str, str]) -> Context:
    """Return the context in which a span becomes a child of the headers' `traceparent`, if there is a valid one."""
    return _PROPAGATOR.extract(headers)


def _sampler(ratio: float) -> Sampler:
    return ALWAYS_ON if ratio >= 1 else TraceIdRatioBased(ratio)


def _exporting(endpoint: str, schedule_delay_seconds: float) -> BatchSpanProcessor:
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import (  # noqa: PLC0415 - 20 MiB only where it is used
        OTLPSpanExporter,
    )

    return BatchSpanProcessor(
        OTLPSpanExporter(endpoint=endpoint, insecure=not endpoint.startswith("https:"), timeout=_EXPORT_SECONDS_MAX),
        max_queue_size=_QUEUE_SPANS_MAX,
        max_export_batch_size=_BATCH_SPANS_MAX,
        schedule_delay_millis=schedule_delay_seconds * 1_000,
        export_timeout_millis=_EXPORT_SECONDS_MAX * 1_000,
    )
