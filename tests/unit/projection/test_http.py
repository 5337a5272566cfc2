"""What the projection answers over HTTP, and that half a view is never shown."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from services.projection.api.http import application
from services.projection.domain.view import StatusChange
from services.projection.service.projection import Projection, Stretch

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class AtNoon:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOON


@pytest.fixture
def projection() -> Projection:
    projection = Projection()
    for version, status in enumerate(("new", "awaiting payment", "paid"), start=1):
        at = NOON - timedelta(seconds=40 - 10 * version)
        projection.apply(StatusChange(order_id=42, version=version, status=status, moment=at, user_id=7))
    return projection


@pytest.fixture
def rebuilds() -> list[str]:
    return []


@pytest.fixture
async def client(projection: Projection, rebuilds: list[str]) -> AsyncIterator[httpx.AsyncClient]:
    async def rebuild() -> None:
        rebuilds.append("asked")

    app = application(projection=projection, clock=AtNoon(), rebuild=rebuild)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://projection") as client:
        yield client


async def test_an_order_is_told(client: httpx.AsyncClient) -> None:
    assert (await client.get("/orders/42")).json() == {
        "order_id": 42,
        "user_id": 7,
        "status": "paid",
        "version": 3,
        "changed_at": "2026-11-24T11:59:50Z",
        "created_at": "2026-11-24T11:59:30Z",
        "paid_at": "2026-11-24T11:59:50Z",
    }


async def test_statuses_and_figures_are_told(client: httpx.AsyncClient) -> None:
    assert (await client.get("/statuses")).json() == {"paid": 1}
    assert (await client.get("/figures", params={"minutes": 2})).json() == {
        "minutes": 2,
        "created": 1,
        "paid": 1,
        "failed": 0,
        "cancelled": 0,
        "orders_per_minute": 0.5,
        "seconds_to_paid": 20.0,
        "failure_share": 0.0,
    }


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/orders/43", 404, "ORDER_NOT_SEEN"),
        ("/orders/0", 400, "INVALID_ARGUMENT"),
        (f"/orders/{2**63}", 400, "INVALID_ARGUMENT"),
        ("/orders/4_2", 400, "INVALID_ARGUMENT"),
        ("/figures?minutes=05", 400, "INVALID_ARGUMENT"),
        ("/figures?minutes=0", 400, "INVALID_ARGUMENT"),
        ("/figures?minutes=1441", 400, "INVALID_ARGUMENT"),
    ],
)
async def test_refusals_name_their_reason(client: httpx.AsyncClient, path: str, status: int, code: str) -> None:
    response = await client.get(path)

    assert (response.status_code, response.json()["code"]) == (status, code)


@pytest.mark.parametrize("path", ["/orders/42", "/statuses", "/figures"])
async def test_half_a_view_is_not_shown(client: httpx.AsyncClient, projection: Projection, path: str) -> None:
    projection.begin({0: Stretch(0, 2)})

    response = await client.get(path)

    assert (response.status_code, response.json()["code"]) == (503, "VIEW_NOT_WHOLE")
    assert "2 records" in response.json()["detail"]


async def test_a_rebuild_is_asked_for(client: httpx.AsyncClient, rebuilds: list[str]) -> None:
    assert (await client.post("/rebuild")).status_code == 202
    assert rebuilds == ["asked"]
