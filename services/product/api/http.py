"""The HTTP face of the catalogue: two reads behind an API key."""

import secrets
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Path, Query
from fastapi.security import APIKeyHeader
from pydantic import BaseModel

from chassis.decimals import decimal
from chassis.http import http_application, problem_response
from services.product.api.errors import HTTP_REFUSALS, BadApiKey
from services.product.domain.product import PAGE_MAX, SKU_MAX, Product, Sku
from services.product.service.catalogue import CatalogueService

VERSION = "1"
_KEY = APIKeyHeader(name="X-API-KEY", auto_error=False)


class ProductBody(BaseModel):
    """A product as callers read it."""

    name: str
    price: int
    sku: int

    @classmethod
    def of(cls, product: Product) -> "ProductBody":
        """Say a product in the caller's words."""
        return cls(name=product.name, price=product.price, sku=product.sku)


def application(*, catalogue: CatalogueService, api_key: str) -> FastAPI:
    """Build the application; every route asks for `api_key`."""

    async def checked(given: Annotated[str | None, Depends(_KEY)]) -> None:
        if given is None or not secrets.compare_digest(given.encode(), api_key.encode()):
            raise BadApiKey

    routes = APIRouter(
        dependencies=[Depends(checked)],
        responses={
            401: problem_response("The header X-API-KEY is missing or wrong"),
            429: problem_response("Too many calls in this second"),
        },
    )

    @routes.get("/product/{sku}", responses={404: problem_response("There is no such product")})
    async def product(sku: Annotated[int, decimal(least=1, most=SKU_MAX), Path(ge=1, le=SKU_MAX)]) -> ProductBody:
        """Read one product."""
        return ProductBody.of(await catalogue.product(Sku(sku)))

    @routes.get("/product")
    async def page(
        count: Annotated[int, decimal(least=1, most=PAGE_MAX), Query(ge=1, le=PAGE_MAX)] = PAGE_MAX,
        start_after_sku: Annotated[int, decimal(least=0, most=SKU_MAX), Query(ge=0, le=SKU_MAX)] = 0,
    ) -> list[ProductBody]:
        """Read products by sku, ascending, after one (exclusive); empty at the end."""
        products = await catalogue.page(count=count, start_after_sku=start_after_sku)
        return [ProductBody.of(each) for each in products]

    app = http_application(
        title="product", version=VERSION, description="The catalogue: names and prices.", refusals=HTTP_REFUSALS
    )
    app.include_router(routes)
    return app
