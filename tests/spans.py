"""An OTLP receiver inside the test process: spans of other processes, as they arrive."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Span:
    """One received span; ids are hexadecimal, ``parent`` is empty for a root, ``process`` is (service, process)."""

    trace: str
    span: str
    parent: str
    process: tuple[str, str]
    name: str


class Spans(trace_service_pb2_grpc.TraceServiceServicer):
    """Everything received so far."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._received: list[Span] = []

    def Export(  # noqa: N802 - the name is the protocol's
        self, request: trace_service_pb2.ExportTraceServiceRequest, context: grpc.ServicerContext
    ) -> trace_service_pb2.ExportTraceServiceResponse:
        """Keep what a process exports."""
        del context
        with self._lock:
            self._received.extend(_spans(request))
        return trace_service_pb2.ExportTraceServiceResponse()

    def of_trace(self, trace: str) -> list[Span]:
        """The spans of one trace."""
        with self._lock:
            return [span for span in self._received if span.trace == trace]


@contextmanager
def span_receiver() -> Iterator[tuple[str, Spans]]:
    """Listen on a free port of loopback; yields the endpoint's address and what arrives there."""
    spans = Spans()
    server = grpc.server(ThreadPoolExecutor(max_workers=4))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(spans, server)  # type: ignore[no-untyped-call]  # generated
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"http://127.0.0.1:{port}", spans
    finally:
        server.stop(grace=None).wait()


def _spans(request: trace_service_pb2.ExportTraceServiceRequest) -> Iterator[Span]:
    for resource_spans in request.resource_spans:
        attributes = {a.key: a.value.string_value for a in resource_spans.resource.attributes}
        for scope in resource_spans.scope_spans:
            for span in scope.spans:
                yield Span(
                    trace=span.trace_id.hex(),
                    span=span.span_id.hex(),
                    parent=span.parent_span_id.hex(),
                    process=(attributes.get("service.name", ""), attributes.get("process", "")),
                    name=span.name,
                )
