"""The catalogue over gRPC."""

import grpc
import pytest

from rpc.product.v1 import product_pb2 as pb
from services.product.service.gate import LoadGate
from tests.integration.product.conftest import Faces


async def test_a_product_has_a_name_and_a_price(faces: Faces) -> None:
    answer = await faces.grpc.GetProduct(pb.GetProductRequest(sku=2958025))

    assert answer.product == pb.Product(sku=2958025, name="Roxy Music. Stranded. Remastered Edition", price=1028)


@pytest.mark.parametrize(
    ("sku", "code"),
    [(1, "NOT_FOUND"), (2**63 - 1, "NOT_FOUND"), (0, "INVALID_ARGUMENT"), (-1, "INVALID_ARGUMENT")],
)
async def test_a_sku_it_does_not_have_is_refused(faces: Faces, sku: int, code: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await faces.grpc.GetProduct(pb.GetProductRequest(sku=sku))

    assert refused.value.code().name == code


async def test_skus_are_listed_from_an_exclusive_place(faces: Faces) -> None:
    everything = await faces.grpc.ListSkus(pb.ListSkusRequest())
    some = await faces.grpc.ListSkus(pb.ListSkusRequest(start_after_sku=1002, count=2))
    nothing = await faces.grpc.ListSkus(pb.ListSkusRequest(start_after_sku=2**63 - 1))

    assert len(everything.skus) == 21
    assert list(some.skus) == [1003, 1004]
    assert list(nothing.skus) == []


class TestABusySecond:
    @pytest.fixture
    def gate(self) -> LoadGate:
        return LoadGate(calls_per_second_max=1)

    async def test_ends_with_resource_exhausted(self, faces: Faces) -> None:
        await faces.grpc.GetProduct(pb.GetProductRequest(sku=1002))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await faces.grpc.GetProduct(pb.GetProductRequest(sku=1002))

        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
