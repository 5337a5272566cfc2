"""What LOMS says of its HTTP face: a document that holds against strange requests, and a page to call from."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from stack.envoy_config import DESCRIPTOR
from tests.loms_server import Served

pytestmark = pytest.mark.asyncio(loop_scope="session")

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_headers_conformance,response_schema_conformance"
)
PHASES = "examples,coverage,fuzzing"
SEED = "20261124"
EXAMPLES_MAX = "30"  # of each call, beside some five hundred that the document's bounds alone suggest
SECONDS_MAX = 90.0


async def test_the_document_is_the_one_made_of_the_proto(served: Served) -> None:
    response = await _get(served, "/openapi.json")

    assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
    assert response.content == DESCRIPTOR.with_suffix(".openapi.json").read_bytes()


async def test_every_call_it_names_is_answered_by_the_service(served: Served) -> None:
    document = (await _get(served, "/openapi.json")).json()

    async with httpx.AsyncClient(base_url=served.http_url) as client:
        for path, verbs in document["paths"].items():
            for verb in verbs:
                answer = (await client.request(verb, path)).json()
                assert answer.get("details", [{}])[:1] != [], (verb, path, answer)  # Envoy's own refusals have none


async def test_the_page_comes_whole_and_loads_nothing_from_elsewhere(served: Served) -> None:
    response = await _get(served, "/docs")

    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert response.text == DESCRIPTOR.with_name("docs.html").read_text(encoding="utf-8")
    assert re.findall(r"https?://|<link|\bsrc=|@import", response.text) == []
    assert "default-src 'none'; connect-src 'self'" in response.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/openapi.json", "/docs"])
async def test_they_are_read_only(served: Served, path: str) -> None:
    async with httpx.AsyncClient(base_url=served.http_url) as client:
        response = await client.post(path)

    assert (response.status_code, response.json()["code"]) == (404, 5)


async def test_no_request_the_document_allows_or_forbids_is_answered_otherwise_than_it_says(
    served: Served, tmp_path: Path
) -> None:
    before = await served.eye.fetchval("select count(*) from orders")

    code, said = await _schemathesis(served, tmp_path)

    assert code == 0, said
    assert await served.eye.fetchval("select count(*) from orders") > before


async def test_a_service_that_falls_over_is_found_out(served: Served, tmp_path: Path) -> None:
    async with _without_stocks(served):
        code, said = await _schemathesis(served, tmp_path, "--include-path", "/stock/info", "--max-failures", "1")

    assert code == 1, said
    assert "Server error" in said


async def _get(served: Served, path: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=served.http_url) as client:
        return await client.get(path)


async def _schemathesis(served: Served, folder: Path, *options: str) -> tuple[int | None, str]:
    """Let schemathesis call whatever the document lets it think of; return its exit code and what it says."""
    bounds = (
        "--checks",
        CHECKS,
        "--phases",
        PHASES,
        "--max-examples",
        EXAMPLES_MAX,
        "--seed",
        SEED,
        "--request-timeout",
        "10",
    )
    quiet = ("--generation-database", "none", "--no-color", "--warnings", "off")
    process = await asyncio.create_subprocess_exec(
        *(
            sys.executable,
            "-m",
            "schemathesis.cli",
            "run",
            f"{served.http_url}/openapi.json",
            *bounds,
            *quiet,
            *options,
        ),
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "NO_PROXY": "*"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(SECONDS_MAX):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode, said.decode()


@asynccontextmanager
async def _without_stocks(served: Served) -> AsyncIterator[None]:
    await served.eye.execute("alter table stocks rename to stocks_elsewhere")
    try:
        yield
    finally:
        await served.eye.execute("alter table stocks_elsewhere rename to stocks")
