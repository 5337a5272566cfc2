"""The catalogue."""

from alembic import context, op

revision = "0001"
down_revision = None

PRODUCTS = """
create table products (
  sku   bigint primary key check (sku > 0),
  name  text   not null check (name <> ''),
  price bigint not null check (price >= 0)
)
"""


def upgrade() -> None:
    """Create the table and let the application read it, and no more."""
    connection = op.get_bind()
    role = connection.dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    connection.exec_driver_sql(PRODUCTS)
    connection.exec_driver_sql(f"grant select on products to {role}")
