"""LOMS as its callers meet it: a gRPC server and the real Envoy in front of it, one of each for a test session.

A second gRPC server on the same database works through a pgbouncer.

Tests that use these fixtures run in the session's event loop: `pytestmark = pytest.mark.asyncio(loop_scope="session")`.
"""

import shutil
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import asyncpg
import grpc
import httpx
import pytest_asyncio
from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from chassis.postgres import Pool
from rpc.loms.v1 import loms_pb2 as pb
from rpc.loms.v1.loms_pb2_grpc import LomsServiceStub
from services.loms import bootstrap
from stack.envoy_config import render
from stack.ports import free_port
from stack.servers import Envoy
from tests.loms_fixtures import CountedWakes, LomsDatabase, unit_of_work_over
from tests.poolers import pooler_before
from tests.shared_servers import servers_folder

Body = Mapping[str, Any]

ROUTES: Mapping[str, tuple[str, str, type[Message]]] = {
    "OrderCreate": ("POST", "/order/create", pb.OrderCreateRequest),
    "OrderInfo": ("GET", "/order/info", pb.OrderInfoRequest),
    "ListOrders": ("GET", "/order/list", pb.ListOrdersRequest),
    "OrderPay": ("POST", "/order/pay", pb.OrderPayRequest),
    "OrderCancel": ("POST", "/order/cancel", pb.OrderCancelRequest),
    "StocksInfo": ("GET", "/stock/info", pb.StocksInfoRequest),
}

HTTP_STATUS = {
    "OK": 200,
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "NOT_FOUND": 404,
    "ABORTED": 409,
    "INTERNAL": 500,
}

CODES = {code.value[0]: code.name for code in grpc.StatusCode}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller got, however it called."""

    code: str
    body: Body
    text: str = ""
    reason: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    replayed: bool = False


class Caller(Protocol):
    async def call(self, method: str, body: Body, *, key: str | None = None) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Served:
    """The running server, and an eye on its database."""

    grpc_address: str
    http_url: str
    eye: "asyncpg.Connection[Any]"
    app_role: str


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def served(loms_template: LomsDatabase) -> AsyncIterator[Served]:
    pool = Pool(loms_template.app_dsn, application_name="loms-contract", max_size=8, acquire_seconds_max=30)
    work = unit_of_work_over(pool, CountedWakes())
    server = bootstrap.rpc_server("127.0.0.1:0", bootstrap.servicer(work, pool))
    await pool.start()
    await server.start()
    eye = await asyncpg.connect(loms_template.admin_dsn)
    port, folder = free_port(), servers_folder()
    config = render(listen=f"127.0.0.1:{port}", upstream=server.address)
    try:
        with Envoy(folder, port, config, dies_with_parent=True):
            yield Served(server.address, f"http://127.0.0.1:{port}", eye, loms_template.app_role)
    finally:
        await eye.close()
        await server.stop()
        await pool.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def grpc_caller(served: Served) -> AsyncIterator[Caller]:
    async with grpc.aio.insecure_channel(served.grpc_address) as channel:
        yield GrpcCaller(LomsServiceStub(channel))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def http_caller(served: Served) -> AsyncIterator[Caller]:
    async with httpx.AsyncClient(base_url=served.http_url, timeout=20) as client:
        yield HttpCaller(client)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pooled_caller(loms_template: LomsDatabase) -> AsyncIterator[Caller]:
    """A caller of a server that shares two connections through a pgbouncer."""
    with pooler_before(loms_template.app_dsn, pool_size=2) as pooler:
        through = pooler.through(loms_template.app_dsn)
        pool = Pool(through, application_name="loms-pooled", max_size=8, acquire_seconds_max=30)
        server = bootstrap.rpc_server("127.0.0.1:0", bootstrap.servicer(unit_of_work_over(pool, CountedWakes()), pool))
        await pool.start()
        await server.start()
        try:
            async with grpc.aio.insecure_channel(server.address) as channel:
                yield GrpcCaller(LomsServiceStub(channel))
        finally:
            await server.stop()
            await pool.stop()


class GrpcCaller:
    """Calls the service itself."""

    def __init__(self, stub: Any) -> None:
        self._stub = stub

    async def call(self, method: str, body: Body, *, key: str | None = None) -> Answer:
        request = json_format.ParseDict(dict(body), ROUTES[method][2]())
        call = getattr(self._stub, method)(request, metadata=(("idempotency-key", key),) if key is not None else ())
        replayed = dict(await call.initial_metadata()).get("idempotency-replayed") == "true"
        try:
            response = await call
        except grpc.aio.AioRpcError as error:
            return _refused(error, replayed=replayed)
        shown = json_format.MessageToDict(response, always_print_fields_with_no_presence=True)
        return Answer("OK", shown, replayed=replayed)


def _refused(error: grpc.aio.AioRpcError, *, replayed: bool) -> Answer:
    trailers: Any = error.trailing_metadata()
    info = error_details_pb2.ErrorInfo()
    status_pb2.Status.FromString(dict(trailers)["grpc-status-details-bin"]).details[0].Unpack(info)
    assert info.domain == "loms"
    return Answer(error.code().name, {}, error.details() or "", info.reason, dict(info.metadata), replayed)


class HttpCaller:
    """Calls through Envoy and holds every answer against the form that contract promises."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def call(self, method: str, body: Body, *, key: str | None = None) -> Answer:
        verb, path, _ = ROUTES[method]
        headers = {} if key is None else {"Idempotency-Key": key}
        if verb == "GET":
            response = await self._client.get(path, params=dict(body), headers=headers)
        else:
            response = await self._client.post(path, json=dict(body), headers=headers)
        return self._answer(response)

    @staticmethod
    def _answer(response: httpx.Response) -> Answer:
        assert response.headers["content-type"] == "application/json"
        replayed = response.headers.get("idempotency-replayed") == "true"
        if response.status_code == HTTP_STATUS["OK"]:
            return Answer("OK", response.json(), replayed=replayed)
        problem = response.json()
        assert set(problem) == {"code", "message", "details"}
        code = CODES[problem["code"]]
        assert response.status_code == HTTP_STATUS[code]
        info = problem["details"][0]
        assert info["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"
        return Answer(code, {}, problem["message"], info["reason"], info["metadata"], replayed)
