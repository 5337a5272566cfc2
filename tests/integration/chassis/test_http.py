"""A request is validated, answered by the table of refusals, traced and counted; nothing internal gets out."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Path
from opentelemetry.trace import SpanKind
from prometheus_client import REGISTRY
from pydantic import BaseModel, Field

from chassis.asgi import AsgiServer
from chassis.http import http_application, problem_response
from tests.captured_logs import captured_logs
from tests.recorded_spans import recorded_spans

ENDED: list[str] = []
"""What became of requests that took too long."""
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


class ShelfIsEmpty(Exception):
    pass


class Wish(BaseModel):
    count: Annotated[int, Field(strict=True, gt=0)]


@pytest.fixture
async def shop() -> AsyncIterator[httpx.AsyncClient]:
    app = http_application(
        title="shop",
        version="1",
        description="a shop",
        refusals={ShelfIsEmpty: HTTPStatus.CONFLICT},
        request_seconds_max=0.3,
    )

    @app.get("/shelf/{number}", responses={409: problem_response("the shelf is empty")})
    async def shelf(number: Annotated[int, Path(gt=0)]) -> dict[str, int]:
        if number == 1:
            raise ShelfIsEmpty("shelf 1 is empty")
        if number == 2:
            raise ExceptionGroup("two looked", [ShelfIsEmpty("shelf 2 is empty"), ShelfIsEmpty("also")])
        if number == 3:
            raise ValueError("password=secret")
        if number == 4:
            try:
                await asyncio.Event().wait()
            finally:
                ENDED.append("cancelled")
        return {"number": number}

    routes = APIRouter(prefix="/crate")

    @routes.delete("/{number}")
    async def throw_away(number: int) -> None: ...

    @routes.post("/{number}")
    async def open_up(number: int) -> None: ...

    app.include_router(routes)

    @app.post("/wish")
    async def wish(wish: Wish) -> dict[str, int]:
        return {"count": wish.count}

    server = AsgiServer("127.0.0.1:0", app)
    await server.start()
    async with httpx.AsyncClient(base_url=f"http://{server.address}") as client:
        yield client
    await server.stop()


async def test_a_good_request_is_answered_and_counted_by_route(shop: httpx.AsyncClient) -> None:
    before = counted("/shelf/{number}", "200")

    answers = [await shop.get(f"/shelf/{number}") for number in (7, 8)]

    assert [answer.json() for answer in answers] == [{"number": 7}, {"number": 8}]
    assert counted("/shelf/{number}", "200") - before == 2


@pytest.mark.parametrize(
    ("body", "field", "value"),
    [
        (b'{"count": 0}', "count", "0"),
        (b'{"count": -1}', "count", "-1"),
        (b'{"count": 1.5}', "count", "1.5"),
        (b'{"count": "5"}', "count", '"5"'),
        (b'{"count": ""}', "count", '""'),
        (b'{"count": true}', "count", "true"),
        (b'{"count": null}', "count", "null"),
        ('{"count": "много"}'.encode(), "count", '"много"'),
        (b'{"count": {"of": 1}}', "count", "1 fields"),
        (b"{}", "count", "nothing"),
        (b"", "body", "nothing"),
        (b"[1]", "body", "[1]"),
        (b'{"count": ', "body", "what stands at character 10"),
    ],
)
async def test_a_bad_body_is_400_and_names_field_and_value(
    shop: httpx.AsyncClient, body: bytes, field: str, value: str
) -> None:
    answer = await shop.post("/wish", content=body)

    assert problem(answer)["status"] == 400
    assert answer.json()["errors"][0]["field"] == field
    assert answer.json()["errors"][0]["value"] == value


@pytest.mark.parametrize(
    ("body", "value", "message"),
    [
        (b'{"count": "\xff"}', "what stands at byte 11", "the body is not UTF-8"),
        (b"[" * 60_000, "lists or objects within each other", "the body is nested too deep"),
        (b'{"count": %s}' % (b"9" * 5_000), "a longer one", "a number in the body should have at most 4300 digits"),
    ],
)
async def test_a_body_that_cannot_be_read_is_400_and_told_why(
    shop: httpx.AsyncClient, body: bytes, value: str, message: str
) -> None:
    answer = problem(await shop.post("/wish", content=body))

    assert (answer["status"], answer["code"]) == (400, "INVALID_ARGUMENT")
    assert answer["errors"] == [{"field": "body", "value": value, "message": message}]
    assert answer["detail"] == f"body: {message}, not {value}"


async def test_no_depth_of_a_value_is_an_error_of_ours(shop: httpx.AsyncClient) -> None:
    bodies = [b'{"count": ' + b"[" * depth + b"]" * depth + b"}" for depth in range(850, 1_000, 10)]

    answers = [await shop.post("/wish", content=body) for body in bodies]

    assert {answer.status_code for answer in answers} == {400}


async def test_a_body_is_json_whatever_its_content_type_says(shop: httpx.AsyncClient) -> None:
    types = ["application/x-www-form-urlencoded", "text/plain", "application/json"]

    answers = [await shop.post("/wish", content=b'{"count": 2}', headers={"content-type": each}) for each in types]

    assert [answer.status_code for answer in answers] == [200, 200, 200]


@pytest.mark.parametrize("in_pieces", [False, True])
async def test_a_body_beyond_all_measure_is_refused(shop: httpx.AsyncClient, *, in_pieces: bool) -> None:
    body = b'{"count": ' + b"1" * 100_000 + b"}"

    answer = await shop.post("/wish", content=pieces(body) if in_pieces else body)

    assert problem(answer)["status"] == 413
    assert answer.json()["detail"] == "the body should have at most 65536 bytes (64 KiB)"


@pytest.mark.parametrize(("number", "text"), [(1, "shelf 1 is empty"), (2, "shelf 2 is empty")])
async def test_a_refusal_is_answered_by_the_table(shop: httpx.AsyncClient, number: int, text: str) -> None:
    body = problem(await shop.get(f"/shelf/{number}"))

    assert (body["status"], body["code"], body["detail"]) == (409, "SHELF_IS_EMPTY", text)


async def test_an_error_of_ours_says_only_where_to_look(shop: httpx.AsyncClient) -> None:
    with captured_logs() as logged, recorded_spans():
        answer = await shop.get("/shelf/3")

    body = problem(answer)
    assert (body["status"], body["code"]) == (500, "INTERNAL")
    assert "secret" not in answer.text
    assert int(body["trace_id"], 16) != 0
    assert len(logged.of("http.failed")) == 1


async def test_a_request_continues_the_callers_trace(shop: httpx.AsyncClient) -> None:
    with recorded_spans() as spans:
        answer = await shop.get("/shelf/1", headers={"traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01"})

    span = next(each for each in spans.get_finished_spans() if each.kind is SpanKind.SERVER)
    assert span.name == "GET /shelf/{number}"
    assert span.context is not None
    assert f"{span.context.trace_id:032x}" == TRACE_ID == answer.json()["trace_id"]


async def test_a_request_that_takes_too_long_is_ended_and_told_so(shop: httpx.AsyncClient) -> None:
    answer = await shop.get("/shelf/4")

    assert problem(answer)["status"] == 504
    assert answer.json()["code"] == "DEADLINE_PASSED"
    assert ENDED == ["cancelled"]


async def test_a_body_that_never_comes_is_408(shop: httpx.AsyncClient) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", shop.base_url.port)
    writer.write(b"POST /wish HTTP/1.1\r\nhost: shop\r\ncontent-length: 100\r\n\r\n{")

    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()

    assert head.startswith(b"HTTP/1.1 408 ")


async def test_a_method_somebody_made_up_is_counted_under_no_name_of_its_own(shop: httpx.AsyncClient) -> None:
    answer = await shop.request("BREW", "/shelf/1")

    assert answer.status_code == 405
    assert "BREW" not in {sample.labels.get("method") for metric in REGISTRY.collect() for sample in metric.samples}


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/crate/1", "DELETE, POST"), ("/shelf/1", "GET"), ("/wish", "POST"), ("/openapi.json", "GET, HEAD")],
)
async def test_a_method_that_is_not_allowed_is_told_all_that_are(
    shop: httpx.AsyncClient, path: str, allowed: str
) -> None:
    answer = await shop.request("PUT", path)

    assert problem(answer)["status"] == 405
    assert answer.headers.get_list("allow") == [allowed]


async def test_half_a_surrogate_pair_is_refused_like_any_other_value(shop: httpx.AsyncClient) -> None:
    answer = await shop.post("/wish", content=b'{"count": "\\ud83d"}')

    assert problem(answer)["status"] == 400
    assert answer.json()["errors"][0]["value"] == '"?"'


async def test_the_description_tells_what_refusals_look_like(shop: httpx.AsyncClient) -> None:
    described = (await shop.get("/openapi.json")).json()

    assert described["openapi"].startswith("3.1")
    assert set(described["paths"]["/shelf/{number}"]["get"]["responses"]) == {"200", "400", "409"}
    assert set(described["components"]["schemas"]) == {"Problem", "Wish"}


def problem(answer: httpx.Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == answer.status_code
    assert {"type", "title", "status", "detail", "instance", "code", "trace_id"} <= set(body)
    return body


async def pieces(body: bytes) -> AsyncIterator[bytes]:
    yield body[:10]
    yield body[10:]


def counted(route: str, status: str) -> float:
    labels = {"method": "GET", "route": route, "status": status}
    return REGISTRY.get_sample_value("http_server_requests_total", labels) or 0.0
