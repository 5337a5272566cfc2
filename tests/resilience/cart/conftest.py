from tests.cart_fixtures import cart_database, cart_template, open_world, world
from tests.loms_fixtures import loms_database, loms_template
from tests.product_fixtures import product_database

__all__ = [
    "cart_database",
    "cart_template",
    "loms_database",
    "loms_template",
    "open_world",
    "product_database",
    "world",
]
