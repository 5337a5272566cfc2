"""The catalogue behind a measured cart: the service's own gRPC face over its own rows. Config: dsn."""

from bench.programs.parent import Config, Parent, run
from chassis.postgres import Pool
from services.product.bootstrap import faces
from services.product.repository.products import Products
from services.product.service.catalogue import CatalogueService
from services.product.service.gate import LoadGate


async def main(config: Config, parent: Parent) -> None:
    """Serve until the parent has no more to say; say the address."""
    pool = Pool(config["dsn"], application_name="bench-product", max_size=8)
    catalogue = CatalogueService(products=Products(pool=pool), gate=LoadGate())
    _, server = faces(catalogue, http_address="127.0.0.1:0", grpc_address="127.0.0.1:0", api_key="unused")
    await pool.start()
    await server.start()
    parent.say("ready", address=server.address)
    await parent.word()
    await server.stop()
    await pool.stop()


if __name__ == "__main__":
    run(main)
