"""The page at `/docs` needs nothing from elsewhere, and sends calls with paths, keys and bodies."""

import asyncio
import re
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

import httpx
import pytest
from fastapi import Depends, Header
from fastapi.security import APIKeyHeader
from pydantic import BaseModel, Field

from chassis.asgi import AsgiServer
from chassis.http import http_application
from tests.browser import Page, browser, program
from tests.waiting import eventually

Key = Annotated[str | None, Depends(APIKeyHeader(name="X-API-KEY", auto_error=False))]


class NoKey(Exception):
    """The key is missing."""


class Wish(BaseModel):
    count: Annotated[int, Field(gt=0)]


@pytest.fixture
async def url() -> AsyncIterator[str]:
    app = http_application(title="shop", version="1", description="a shop", refusals={NoKey: HTTPStatus.UNAUTHORIZED})

    @app.post("/shelf/{number}", operation_id="wish")
    async def wish(
        number: int, wish: Wish, key: Key, again: Annotated[str | None, Header(max_length=9)] = None
    ) -> dict[str, int | str | None]:
        if not key:
            raise NoKey("who are you?")
        return {"shelf": number, "count": wish.count, "key": key, "again": again}

    server = AsgiServer("127.0.0.1:0", app)
    await server.start()
    yield f"http://{server.address}/docs"
    await server.stop()


async def test_it_comes_whole_and_loads_nothing_from_elsewhere(url: str) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.get(url)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'; connect-src 'self'" in answer.headers["content-security-policy"]
    assert re.findall(r"https?://|<link|\bsrc=|@import", answer.text) == []


@pytest.mark.skipif(program() is None, reason="no Chromium on this machine")
async def test_a_call_is_sent_as_it_is_filled_in_and_a_refusal_is_shown_with_its_reason(
    url: str, tmp_path: Path
) -> None:
    with browser(tmp_path) as page:
        await asyncio.to_thread(page.open, url)
        await sees(page, "#wish summary", "/shelf/{number}")

        await sends(page, {"number": "7"}, '{"count": 2}')
        await sees(page, "#wish .answer", "NO_KEY — who are you?")
        await sends(page, {"number": "7", "X-API-KEY": "mine"}, '{"count": 0}')
        await sees(page, "#wish .answer", "Input should be greater than 0")
        await sends(page, {"number": "7", "X-API-KEY": "mine"}, '{"count": 2}')
        await sees(page, "#wish .answer", '"shelf": 7')
        await sees(page, "#wish .answer", '"key": "mine"')


async def sends(page: Page, given: dict[str, str], body: str) -> None:
    fill = "".join(f"document.getElementById('wish-{name}').value = {value!r};" for name, value in given.items())
    form = (
        f"document.getElementById('wish-body').value = {body!r}; document.querySelector('#wish form').requestSubmit()"
    )
    await asyncio.to_thread(page.run, f"document.getElementById('wish').open = true; {fill}{form}")


async def sees(page: Page, where: str, text: str) -> None:
    async def shown() -> bool:
        seen = await asyncio.to_thread(page.run, f"document.querySelector({where!r})?.innerText ?? ''")
        assert text in str(seen)
        return True

    await eventually(shown, within=20, every=0.2)
