"""What lies in the carts, and the passages from carts to orders."""

from alembic import context, op

revision = "0001"
down_revision = None

STATEMENTS = (
    """
    create table cart_items (
      user_id bigint not null check (user_id > 0),
      sku     bigint not null check (sku > 0),
      count   bigint not null check (count > 0),
      primary key (user_id, sku)
    ) with (fillfactor = 70)
    """,
    """
    create table checkouts (
      checkout_id uuid        primary key,
      user_id     bigint      not null check (user_id > 0),
      skus        bigint[]    not null check (cardinality(skus) > 0),
      counts      bigint[]    not null check (cardinality(counts) = cardinality(skus)),
      state       text        not null check (state in ('open', 'done', 'refused')),
      order_id    bigint,
      began_at    timestamptz not null default clock_timestamp(),
      ended_at    timestamptz,
      check ((state = 'done') = (order_id is not null))
    ) with (fillfactor = 70)
    """,
    # One open checkout a user, so that no two orders come out of one cart.
    "create unique index checkouts_open on checkouts (user_id) where state = 'open'",
    # What the keys of requests led to; a request that joins an open checkout leaves its own key there too.
    """
    create table checkout_keys (
      user_id     bigint not null,
      key         text   not null,
      checkout_id uuid   not null references checkouts on delete cascade,
      primary key (user_id, key)
    )
    """,
)

GRANTS = tuple(f"select, insert, update, delete on {table}" for table in ("cart_items", "checkouts", "checkout_keys"))


def upgrade() -> None:
    """Create the tables and let the application use them."""
    connection = op.get_bind()
    role = connection.dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)
    for grant in GRANTS:
        connection.exec_driver_sql(f"grant {grant} to {role}")
