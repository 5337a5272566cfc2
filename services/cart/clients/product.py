"""The catalogue as the cart sees it: what skus are called and cost."""

from typing import TYPE_CHECKING

import grpc
import stamina

from chassis.breaker import Breaker, CircuitOpen
from chassis.deadline import remaining
from rpc.product.v1 import product_pb2 as pb
from services.cart.clients.failures import is_failure, translated
from services.cart.domain.cart import ProductCard, Sku
from services.cart.domain.errors import UnknownSku

if TYPE_CHECKING:
    from chassis.rpc_client import RpcClient
    from rpc.product.v1.product_pb2_grpc import ProductServiceAsyncStub

NEIGHBOUR = "product"
CALLS_MAX = 4
"""One call and three retries."""

_RETRIED = frozenset({grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE})


class Product:
    """Reads the catalogue over gRPC, now.

    A busy catalogue and one that is away are asked again up to three times, with backoff and jitter, while time is
    left: reading changes nothing.
    """

    def __init__(
        self,
        *,
        client: "RpcClient[ProductServiceAsyncStub]",
        call_seconds_max: float,
        breaker: Breaker | None = None,
    ) -> None:
        self._client = client
        self._call_seconds_max = call_seconds_max
        self._breaker = breaker or Breaker(is_failure=is_failure)

    async def card(self, sku: Sku) -> ProductCard:
        """Read one product. Raises UnknownSku, NeighbourAway, DeadlinePassed."""
        try:
            response = await self._repeated(pb.GetProductRequest(sku=sku))
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                raise UnknownSku(sku) from error
            raise translated(error, NEIGHBOUR) from error
        except CircuitOpen as error:
            raise translated(error, NEIGHBOUR) from error
        return ProductCard(sku, response.product.name, response.product.price)

    async def _repeated(self, request: pb.GetProductRequest) -> pb.GetProductResponse:
        async for attempt in stamina.retry_context(
            on=_may_be_asked_again, attempts=CALLS_MAX, timeout=None, wait_initial=0.05, wait_max=0.5, wait_jitter=0.1
        ):
            with attempt:
                return await self._breaker.call(lambda: self._client.stub.GetProduct(request, timeout=self._timeout()))
        raise AssertionError("the loop above returns or raises")

    def _timeout(self) -> float:
        return remaining(self._call_seconds_max)


def _may_be_asked_again(error: Exception) -> bool:
    return isinstance(error, grpc.aio.AioRpcError) and error.code() in _RETRIED and remaining(1.0) > 0
