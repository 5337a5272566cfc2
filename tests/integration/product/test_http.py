"""The catalogue over HTTP answers as the contract says."""

from typing import Any

import httpx
import pytest

from services.product.service.gate import LoadGate
from tests.integration.product.conftest import Faces

KNOWN = [
    (1076963, "Теория нравственных чувств | Смит Адам", 3379),
    (139275865, "Платье oodji Collection", 634),
    (2958025, "Roxy Music. Stranded. Remastered Edition", 1028),
    (773297411, "Кроссовки Nike JORDAN", 2202),
]


@pytest.mark.parametrize(("sku", "name", "price"), KNOWN)
async def test_a_product_has_a_name_and_a_price(faces: Faces, sku: int, name: str, price: int) -> None:
    answer = await faces.http.get(f"/product/{sku}")

    assert (answer.status_code, answer.json()) == (200, {"name": name, "price": price, "sku": sku})


@pytest.mark.parametrize("sku", [1, 2**31, 2**32, 2**63 - 1])
async def test_a_sku_nobody_knows_is_not_found(faces: Faces, sku: int) -> None:
    answer = await faces.http.get(f"/product/{sku}")

    assert problem(answer, 404) == {"code": "PRODUCT_NOT_FOUND", "detail": f"there is no product with sku {sku}"}


@pytest.mark.parametrize("sku", ["0", "-1", "1.5", "shoe", str(2**63), "9" * 400, "1_0", "1.0", "%201", "+5", "05"])
async def test_a_sku_that_cannot_be_one_is_refused(faces: Faces, sku: str) -> None:
    answer = await faces.http.get(f"/product/{sku}")

    assert problem(answer, 400)["code"] == "INVALID_ARGUMENT"
    assert answer.json()["errors"][0]["field"] == "sku"


@pytest.mark.parametrize("headers", [{}, {"X-API-KEY": ""}, {"X-API-KEY": "wrong"}])
@pytest.mark.parametrize("path", ["/product/1076963", "/product/1", "/product/0", "/product"])
async def test_who_has_no_key_learns_nothing(faces: Faces, path: str, headers: dict[str, str]) -> None:
    async with httpx.AsyncClient(base_url=faces.http.base_url) as stranger:
        answer = await stranger.get(path, headers=headers)

    assert problem(answer, 401)["code"] == "BAD_API_KEY"


async def test_pages_go_up_from_an_exclusive_place_and_end_empty(faces: Faces) -> None:
    seen: list[int] = []
    pages = 0
    while page := await skus(faces, count=8, start_after_sku=seen[-1] if seen else 0):
        seen += page
        pages += 1

    assert (len(seen), pages) == (21, 3)
    assert seen == sorted(set(seen))
    assert (seen[0], seen[-1]) == (1002, 773297411)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("count", value) for value in ("0", "1001", "x", "", "1_0", "1.0", " 1", "+5", "05")),
        *(("start_after_sku", value) for value in ("-1", "1_0", "00")),
    ],
)
async def test_a_page_out_of_bounds_is_refused(faces: Faces, name: str, value: str) -> None:
    answer = await faces.http.get("/product", params={name: value})

    assert problem(answer, 400)["code"] == "INVALID_ARGUMENT"
    assert answer.json()["errors"][0]["field"] == name


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/", 404), ("DELETE", "/product/1076963", 405)])
async def test_what_does_not_exist_is_a_problem_too(faces: Faces, method: str, path: str, status: int) -> None:
    assert problem(await faces.http.request(method, path), status)["code"]


class TestABusySecond:
    @pytest.fixture
    def gate(self) -> LoadGate:
        return LoadGate(calls_per_second_max=2)

    async def test_ends_with_a_refusal_that_says_so(self, faces: Faces) -> None:
        answers = [await faces.http.get("/product/1076963") for _ in range(3)]

        assert [answer.status_code for answer in answers[:2]] == [200, 200]
        assert problem(answers[2], 429)["code"] == "TOO_MANY_CALLS"


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["status"], body["instance"]) == (status, answer.request.url.path)
    return {"code": body["code"], "detail": body["detail"]}


async def skus(faces: Faces, *, count: int, start_after_sku: int) -> list[int]:
    answer = await faces.http.get("/product", params={"count": count, "start_after_sku": start_after_sku})
    assert answer.status_code == 200
    return [product["sku"] for product in answer.json()]
