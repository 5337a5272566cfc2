"""An HTTP application whose requests are traced, validated, answered by one table of refusals, and counted.

The face of a service that speaks HTTP itself: FastAPI routes, errors as `application/problem+json`. A broken body or a
value out of bounds is 400 and names each field; an error nobody listed is 500 and says only where to look. A request
ends within its bound, whatever it waits for: what it still does then is cancelled, and it is answered 504.
"""

import asyncio
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse
from starlette.routing import Match

from chassis import problems, telemetry
from chassis.asgi import Application, Receive, Scope, Send
from chassis.deadline import deadline
from chassis.logs import get_logger
from chassis.metrics import HTTP_SERVER_REQUESTS, HTTP_SERVER_SECONDS
from chassis.problems import HttpRefusals, Problem

OPENAPI = "/openapi.json"
DOCS = "/docs"

_BODY_BYTES_MAX = 64 * 1024
_TOO_LARGE = f"the body should have at most {_BODY_BYTES_MAX} bytes ({_BODY_BYTES_MAX // 1024} KiB)"
_CLIENT_LEFT = 499  # as nginx counts it
_JSON = (b"content-type", b"application/json")
_PAGE = Path(__file__).with_name("docs.html")
_PAGE_POLICY = (
    "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Methods that are counted by name; a caller may make up others."""

log = get_logger()


def http_application(
    *, title: str, version: str, description: str, refusals: HttpRefusals, request_seconds_max: float = 30.0
) -> FastAPI:
    """Return an application without routes; add them with `include_router`.

    Its OpenAPI is at `/openapi.json`, and at `/docs` a page that shows it and sends its calls, without a CDN.
    A request, from its head to its answer, takes `request_seconds_max` at most; below, `remaining` tells what is left.
    """
    application = _Application(
        title=title,
        version=version,
        description=description,
        openapi_url=OPENAPI,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    application.add_route(DOCS, _docs, include_in_schema=False)
    application.add_middleware(_Observed, request_seconds_max=request_seconds_max)
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


async def _docs(_request: Request) -> Response:
    return FileResponse(_PAGE, headers={"content-security-policy": _PAGE_POLICY})


def answer(problem: Problem, request: Request) -> Response:
    """Return a refusal as a response to this request."""
    body = problem.body(instance=request.url.path, trace_id=_trace_id())
    return Response(body, status_code=problem.status, media_type=problems.MEDIA_TYPE)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - for the type checker: that is what it is registered for
    return answer(problems.invalid(error.errors()), request)


async def _on_status(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - for the type checker: that is what it is registered for
    response = answer(_problem_of(error), request)
    response.headers.update(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["allow"] = _allowed(request)
    return response


def _problem_of(error: HTTPException) -> Problem:
    if error.status_code == HTTPStatus.BAD_REQUEST and error.__cause__ is not None:  # FastAPI could not read the body
        return problems.unreadable(error.__cause__)
    return problems.of_status(error.status_code, error.detail)


def _allowed(request: Request) -> str:
    """Return every method this path takes; the framework itself names those of one route only."""
    routes = request.app.routes
    taken = (
        method
        for method in sorted(_METHODS)
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    )
    return ", ".join(taken)


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

    def __init__(self, app: Application, *, request_seconds_max: float) -> None:
        self._app = app
        self._request_seconds_max = request_seconds_max
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
                await self._in_time(scope, _Body(receive), noted)
            except _Late as late:
                status = await self._cut(late.problem, status, scope, noted)
            except Exception as error:  # noqa: BLE001 - a supervised boundary: it is ours, and it is logged
                status = await self._fail(error, status, span, scope, noted)
            finally:
                self._count(scope, status, time.perf_counter() - started, span)

    async def _in_time(self, scope: Scope, body: "_Body", send: Send) -> None:
        try:
            with deadline(self._request_seconds_max):
                async with asyncio.timeout(self._request_seconds_max) as bound:
                    await self._app(scope, body.receive, send)
        except TimeoutError:
            if not bound.expired():
                raise
            raise _Late(problems.SLOW_BODY if body.is_awaited else problems.LATE) from None

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
        return await self._cut(problems.INTERNAL, status, scope, send)

    async def _cut(self, problem: Problem, status: int, scope: Scope, send: Send) -> int:
        if status != _CLIENT_LEFT:  # an answer has begun: it can only be cut short
            return status
        response = answer(problem, Request(scope))
        await response(scope, _nothing_more, send)
        return response.status_code

    def _count(self, scope: Scope, status: int, seconds: float, span: Span) -> None:
        route = getattr(scope.get("route"), "path", "unknown")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        span.update_name(f"{method} {route}")
        span.set_attribute("http.response.status_code", status)
        HTTP_SERVER_REQUESTS.labels(method, route, str(status)).inc()
        HTTP_SERVER_SECONDS.labels(method, route).observe(seconds)


class _Late(Exception):
    """The request's time is over."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


class _Body:
    """Reads a body up to its bound; beyond it the request is answered 413, however the body came."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._bytes_read = 0
        self._is_asked_for = False
        self._is_here = False

    @property
    def is_awaited(self) -> bool:
        """Whether the application asked for the body, and not all of it has come."""
        return self._is_asked_for and not self._is_here

    async def receive(self) -> Any:
        self._is_asked_for = True
        message = await self._receive()
        self._bytes_read += len(message.get("body", b""))
        if self._bytes_read > _BODY_BYTES_MAX:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_LARGE)
        self._is_here = not message.get("more_body", False)
        return message


async def _nothing_more() -> Any:
    return {"type": "http.disconnect"}


def _trace_id() -> str:
    return f"{trace.get_current_span().get_span_context().trace_id:032x}"
