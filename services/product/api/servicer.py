"""The gRPC face of the catalogue."""

from typing import TYPE_CHECKING, Any

from rpc.product.v1 import product_pb2 as pb
from rpc.product.v1 import product_pb2_grpc
from services.product.domain.product import PAGE_MAX, Product, Sku
from services.product.service.catalogue import CatalogueService

if TYPE_CHECKING:
    import grpc

    Context = grpc.aio.ServicerContext[Any, Any]

SERVICE = pb.DESCRIPTOR.services_by_name["ProductService"].full_name


class ProductServicer(product_pb2_grpc.ProductServiceServicer):
    """Implements `rpc.product.v1.ProductService`; requests arrive here validated, refusals leave as exceptions."""

    def __init__(self, *, catalogue: CatalogueService) -> None:
        self._catalogue = catalogue

    async def GetProduct(  # noqa: N802 - named by the .proto
        self, request: pb.GetProductRequest, _context: "Context"
    ) -> pb.GetProductResponse:
        """Read one product."""
        product = await self._catalogue.product(Sku(request.sku))
        return pb.GetProductResponse(product=_message(product))

    async def ListSkus(  # noqa: N802 - named by the .proto
        self, request: pb.ListSkusRequest, _context: "Context"
    ) -> pb.ListSkusResponse:
        """Read the skus after one."""
        page = await self._catalogue.page(count=request.count or PAGE_MAX, start_after_sku=request.start_after_sku)
        return pb.ListSkusResponse(skus=[product.sku for product in page])


def _message(product: Product) -> pb.Product:
    return pb.Product(sku=product.sku, name=product.name, price=product.price)
