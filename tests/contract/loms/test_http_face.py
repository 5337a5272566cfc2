"""What Envoy answers by itself in front of LOMS: always JSON of the one shape, and nothing about the inside."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import pytest_asyncio

from rpc.loms.v1 import loms_pb2 as pb
from rpc.loms.v1.loms_pb2_grpc import add_LomsServiceServicer_to_server
from services.loms.api.servicer import LomsServicer
from stack.envoy_config import render
from stack.ports import free_port
from stack.servers import Envoy
from tests.loms_server import Served

pytestmark = pytest.mark.asyncio(loop_scope="session")

SKU = 1625903


@pytest_asyncio.fixture(loop_scope="session")
async def client(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=served.http_url, timeout=20) as client:
        yield client


MALFORMED = {
    "cut off": '{"orderId": 42',
    "no JSON": "orderId=42",
    "more than JSON": '{"orderId": 42} trailing',
    "null": "null",
    "a list": "[]",
    "a number": "42",
    "an id that is a word": '{"orderId": "abc"}',
    "an id that is a fraction": '{"orderId": 1.5}',
    "an id that is true": '{"orderId": true}',
    "an id that is an object": '{"orderId": {}}',
    "an id beyond 64 bits": '{"orderId": "9223372036854775808"}',
    "nothing": "",
    "an empty object": "{}",
    "an id that is null": '{"orderId": null}',
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
async def test_a_malformed_or_missing_body_is_400(client: httpx.AsyncClient, body: str) -> None:
    response = await client.post("/order/pay", content=body, headers={"content-type": "application/json"})

    _assert_refused(response, status=400, code=3)


COUNTS = {"below 0": "-1", "beyond 32 bits": "4294967296", "a fraction": "1.5", "a word": '"many"', "true": "true"}


@pytest.mark.parametrize("count", COUNTS.values(), ids=COUNTS)
async def test_a_count_that_is_no_count_is_400(client: httpx.AsyncClient, count: str) -> None:
    body = f'{{"userId": 7, "items": [{{"sku": {SKU}, "count": {count}}}]}}'

    response = await client.post("/order/create", content=body)

    _assert_refused(response, status=400, code=3)


@pytest.mark.parametrize("query", ["orderId=abc", "orderId=1.5", "orderId=", "", "orderId=9223372036854775808"])
async def test_a_query_without_a_proper_id_is_400(client: httpx.AsyncClient, query: str) -> None:
    _assert_refused(await client.get(f"/order/info?{query}"), status=400, code=3)


async def test_an_unknown_query_parameter_is_400(client: httpx.AsyncClient) -> None:
    _assert_refused(await client.get("/order/info?orderId=1&orderld=2"), status=400, code=3)


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("GET", "/"),
        ("GET", "/nope"),
        ("GET", "/order/create"),
        ("DELETE", "/order/create"),
        ("POST", "/order/info"),
        ("POST", "/rpc.loms.v1.LomsService/OrderPay"),
    ],
)
async def test_an_unknown_path_or_method_is_404(client: httpx.AsyncClient, verb: str, path: str) -> None:
    _assert_refused(await client.request(verb, path), status=404, code=5)


async def test_a_body_beyond_the_bound_is_413(client: httpx.AsyncClient) -> None:
    response = await client.post("/order/create", content=b" " * (1 << 20) + b"{}")

    _assert_refused(response, status=413, code=8)


@pytest.mark.parametrize(
    "path", ["/order/pay?orderId=1", "/order/cancel?order_id=1", "/order/create?userId=72", "/order/pay?"]
)
@pytest.mark.parametrize("body", ["", '{"orderId": "2"}'], ids=["no body", "a body"])
async def test_a_query_never_speaks_for_the_body(client: httpx.AsyncClient, path: str, body: str) -> None:
    response = await client.post(path, content=body)

    _assert_refused(response, status=400, code=3)
    assert "leave out the query" in response.json()["message"]


@pytest.mark.parametrize("size", [7_000, 12_000, 16_500, 50_000])
async def test_headers_within_the_bound_pass_every_time(client: httpx.AsyncClient, size: int) -> None:
    answers = [await client.get("/stock/info", params={"sku": SKU}, headers={"cookie": "a" * size}) for _ in range(8)]

    assert {answer.status_code for answer in answers} == {200}


async def test_headers_beyond_the_bound_are_431(client: httpx.AsyncClient) -> None:
    response = await client.get("/stock/info", params={"sku": SKU}, headers={"x-long": "x" * 70_000})

    _assert_refused(response, status=431, code=3)


NOT_FOR_GRPC = {
    "a name gRPC does not allow": "x-it's*: 1",
    "a name of one such letter": "~: 1",
    "bytes that are none": "x-bin: ???",
    "a deadline that is none": "grpc-timeout: soon",
    "an encoding nobody knows": "grpc-encoding: cuneiform",
    "a value beyond ASCII": "x-name: Зина",
}


@pytest.mark.parametrize("header", NOT_FOR_GRPC.values(), ids=NOT_FOR_GRPC)
async def test_a_header_that_grpc_could_not_carry_is_left_behind(client: httpx.AsyncClient, header: str) -> None:
    name, _, value = header.partition(": ")

    response = await client.get("/stock/info", params={"sku": SKU}, headers={name.encode(): value.encode()})

    assert response.status_code == 200


async def test_both_spellings_and_both_forms_of_a_number_are_accepted(client: httpx.AsyncClient) -> None:
    camel = {"userId": "7", "items": [{"sku": str(SKU), "count": "1"}]}
    snake = {"user_id": 7, "items": [{"sku": SKU, "count": 1}]}

    first = (await client.post("/order/create", json=camel)).json()["orderId"]
    second = (await client.post("/order/create", json=snake)).json()["orderId"]

    assert isinstance(first, str)
    for spelling in ("orderId", "order_id"):
        assert (await client.get("/order/info", params={spelling: second})).json() == {
            "status": "awaiting payment",
            "userId": "7",
            "items": [{"sku": str(SKU), "count": 1}],
        }
    assert (await client.post("/order/pay", json={"order_id": int(first)})).json() == {}
    assert (await client.post("/order/cancel", json={"orderId": second})).json() == {}


async def test_the_content_type_of_a_request_does_not_matter(client: httpx.AsyncClient) -> None:
    response = await client.post(
        "/order/create",
        content=json.dumps({"userId": 7, "items": [{"sku": SKU, "count": 1}]}),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )

    assert response.status_code == 200


async def test_the_event_of_a_request_belongs_to_its_trace(served: Served, client: httpx.AsyncClient) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"

    response = await client.post(
        "/order/create",
        json={"userId": 7, "items": [{"sku": SKU, "count": 1}]},
        headers={"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"},
    )

    rows = await served.eye.fetch("select headers from outbox where key = $1", response.json()["orderId"])
    assert [json.loads(row["headers"])["traceparent"].split("-")[1] for row in rows] == [trace_id, trace_id]


async def test_native_grpc_passes_through(served: Served) -> None:
    async with grpc.aio.insecure_channel(served.http_url.removeprefix("http://")) as channel:
        method = channel.unary_unary(
            "/rpc.loms.v1.LomsService/StocksInfo",
            request_serializer=pb.StocksInfoRequest.SerializeToString,
            response_deserializer=pb.StocksInfoResponse.FromString,
        )

        assert (await method(pb.StocksInfoRequest(sku=1002))).count == 180


class Upstream(LomsServicer):
    """Keeps the metadata of a pay, and never answers an info."""

    def __init__(self) -> None:
        self.metadata: dict[str, Any] = {}

    async def OrderPay(self, _request: pb.OrderPayRequest, context: Any) -> pb.OrderPayResponse:  # noqa: N802
        self.metadata = dict(context.invocation_metadata())
        return pb.OrderPayResponse()

    async def OrderInfo(self, _request: pb.OrderInfoRequest, _context: Any) -> pb.OrderInfoResponse:  # noqa: N802
        await asyncio.Event().wait()
        raise AssertionError("nobody sets the event")


async def test_headers_reach_the_service_as_metadata_and_a_late_answer_is_504(server_folder: Path) -> None:
    upstream, server = Upstream(), grpc.aio.server()
    add_LomsServiceServicer_to_server(upstream, server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await server.start()
    try:
        async with _in_front_of(address, server_folder) as client:
            headers = {"Idempotency-Key": "once", "traceparent": trace}
            await client.post("/order/pay", json={"orderId": 1}, headers=headers)
            late = await client.get("/order/info", params={"orderId": 1})
    finally:
        await server.stop(None)

    assert upstream.metadata["idempotency-key"] == "once"
    assert upstream.metadata["traceparent"] == trace
    _assert_refused(late, status=504, code=4)


async def test_a_request_that_never_ends_is_408(server_folder: Path) -> None:
    head = b"POST /order/pay HTTP/1.1\r\nhost: loms\r\ncontent-length: 100\r\nconnection: close\r\n\r\n"
    async with _in_front_of(f"127.0.0.1:{free_port()}", server_folder) as client:
        reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
        writer.write(head + b'{"orderId"')
        answer = (await reader.read()).decode()
        writer.close()

    head_text, _, body = answer.partition("\r\n\r\n")
    assert head_text.startswith("HTTP/1.1 408")
    assert json.loads(body) == {"code": 4, "message": "the request did not arrive in time", "details": []}


async def test_a_service_that_is_away_is_503(server_folder: Path) -> None:
    async with _in_front_of(f"127.0.0.1:{free_port()}", server_folder) as client:
        response = await client.get("/stock/info", params={"sku": SKU})

    _assert_refused(response, status=503, code=14)
    assert "127.0.0.1" not in response.text
    assert "connect" not in response.text


class _in_front_of:  # noqa: N801 - reads as a phrase
    """A client of an Envoy of this test alone, which waits half a second for an answer."""

    def __init__(self, upstream: str, folder: Path) -> None:
        port = free_port()
        config = render(listen=f"127.0.0.1:{port}", upstream=upstream, timeout_seconds=0.5)
        self._envoy = Envoy(folder, port, config, dies_with_parent=True)
        self._client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20)

    async def __aenter__(self) -> httpx.AsyncClient:
        self._envoy.start()
        return self._client

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()
        self._envoy.stop()


def _assert_refused(response: httpx.Response, *, status: int, code: int) -> None:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    problem = response.json()
    assert set(problem) == {"code", "message", "details"}
    assert problem["code"] == code
    assert problem["message"]
    assert isinstance(problem["details"], list)
