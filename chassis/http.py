"""An HTTP application whose requests are traced, validated, answered by one table of refusals, and counted.

The face of a service that speaks HTTP itself: FastAPI routes, errors as `application/problem+json`. A broken body or a
value out of bounds is 400 and names each field; an error nobody listed is 500 and says only where to look.
"""

import time
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode
from starlette.exceptions import HTTPException

from chassis import problems, telemetry
from chassis.asgi import Application, Receive, Scope, Send
from chassis.logs import get_logger
from chassis.metrics import HTTP_SERVER_REQUESTS, HTTP_SERVER_SECONDS
from chassis.problems import HttpRefusals, Problem

OPENAPI = "/openapi.json"

_BODY_BYTES_MAX = 64 * 1024
_TOO_LARGE = 413
_CLIENT_LEFT = 499  # as nginx counts it
_JSON = (b"content-type", b"application/json")

log = get_logger()


def http_application(*, title: str, version: str, description: str, refusals: HttpRefusals) -> FastAPI:
    """Return an application without routes; add them with `include_router`. Its OpenAPI is at `/openapi.json`."""
    application = _Application(
        title=title,
        version=version,
        description=description,
        openapi_url=OPENAPI,
        docs_url=None,
        redoc_url=None,
    )
    application.add_middleware(_Observed)
    application.add_exception_handler(RequestValidationError, _on_invalid)
    application.add_exception_handler(HTTPException, _on_status)
    application.add_exception_handler(ExceptionGroup, _on_listed(refusals))
    for kind in refusals:
        application.add_exception_handler(kind, _on_listed(refusals))
    return application


class _Application(FastAPI):
    """FastAPI whose description tells what a refusal really looks like, instead of a 422 that is never sent."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI object, made once."""
        if self.openapi_schema is None:
            schema = super().openapi()
            for operation in (each for path in schema["paths"].values() for each in path.values()):
                if operation["responses"].pop("422", None):
                    operation["responses"]["400"] = problem_response("A value is out of bounds or the body is broken")
            schema.setdefault("components", {}).setdefault("schemas", {})["Problem"] = problems.SCHEMA
            for name in ("HTTPValidationError", "ValidationError"):
                schema["components"]["schemas"].pop(name, None)
        assert self.openapi_schema is not None  # noqa: S101 - for the type checker: made above
        return self.openapi_schema


def problem_response(description: str) -> dict[str, Any]:
    """Describe a refusal to OpenAPI: the value under a status in the `responses` of a route."""
    reference = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {problems.MEDIA_TYPE: {"schema": reference}}}


def answer(problem: Problem, request: Request) -> Response:
    """Return a refusal as a response to this request."""
    body = problem.body(instance=request.url.path, trace_id=_trace_id())
    return Response(body, status_code=problem.status, media_type=problems.MEDIA_TYPE)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - for the type checker: that is what it is registered for
    return answer(problems.invalid(error.errors()), request)


async def _on_status(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - for the type checker: that is what it is registered for
    response = answer(problems.of_status(error.status_code), request)
    response.headers.update(error.headers or {})
    return response


def _on_listed(refusals: HttpRefusals) -> Any:
    async def handle(request: Request, error: Exception) -> Response:
        problem = problems.refused(error, refusals)
        if problem is None:
            raise error
        return answer(problem, request)

    return handle


class _Observed:
    """One span, one count and one time for each request; whatever escapes the routes becomes a plain 500.

    A body is JSON whatever its content type says, so that `curl -d` needs no header.
    """

    def __init__(self, app: Application) -> None:
        self._app = app
        self._tracer = trace.get_tracer("chassis.http")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["headers"] = [_JSON, *(each for each in scope["headers"] if each[0] != _JSON[0])]
        started = time.perf_counter()
        status = _CLIENT_LEFT

        async def noted(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self._span(scope) as span:
            try:
                await self._app(scope, _bounded(receive), noted)
            except Exception as error:  # noqa: BLE001 - a supervised boundary: it is ours, and it is logged
                status = await self._fail(error, status, span, scope, noted)
            finally:
                self._count(scope, status, time.perf_counter() - started, span)

    def _span(self, scope: Scope) -> Any:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        return self._tracer.start_as_current_span(
            scope["method"],
            context=telemetry.extracted(headers),
            kind=SpanKind.SERVER,
            record_exception=False,
            set_status_on_exception=False,
        )

    async def _fail(self, error: Exception, status: int, span: Span, scope: Scope, send: Send) -> int:
        log.error("http.failed", method=scope["method"], path=scope["path"], exc_info=error)
        span.set_status(StatusCode.ERROR, type(error).__name__)
        if status != _CLIENT_LEFT:  # an answer has begun: it can only be cut short
            return status
        response = answer(problems.INTERNAL, Request(scope))
        await response(scope, _nothing_more, send)
        return response.status_code

    def _count(self, scope: Scope, status: int, seconds: float, span: Span) -> None:
        route = getattr(scope.get("route"), "path", "unknown")
        span.update_name(f"{scope['method']} {route}")
        span.set_attribute("http.response.status_code", status)
        HTTP_SERVER_REQUESTS.labels(scope["method"], route, str(status)).inc()
        HTTP_SERVER_SECONDS.labels(scope["method"], route).observe(seconds)


def _bounded(receive: Receive) -> Receive:
    """Read a body up to its bound; beyond it the request is answered 413, however the body came."""
    bytes_read = 0

    async def bounded() -> Any:
        nonlocal bytes_read
        message = await receive()
        bytes_read += len(message.get("body", b""))
        if bytes_read > _BODY_BYTES_MAX:
            raise HTTPException(_TOO_LARGE)
        return message

    return bounded


async def _nothing_more() -> Any:
    return {"type": "http.disconnect"}


def _trace_id() -> str:
    return f"{trace.get_current_span().get_span_context().trace_id:032x}"
