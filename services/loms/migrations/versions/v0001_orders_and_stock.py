"""Orders, their items, stock, and the first answers to requests with an idempotency key."""

from alembic import context, op

revision = "0001"
down_revision = None

STATEMENTS = (
    # Room on each page for the one or two moves of an order: updates stay on their page and touch no index.
    """
    create table orders (
      order_id   bigint      generated always as identity primary key,
      user_id    bigint      not null check (user_id > 0),
      status     text        not null check (status in ('new', 'awaiting payment', 'failed', 'paid', 'cancelled')),
      version    bigint      not null check (version > 0),
      created_at timestamptz not null,
      changed_at timestamptz not null
    ) with (fillfactor = 70)
    """,
    # No reference to stocks: an order for an unknown sku is recorded as failed.
    """
    create table order_items (
      order_id bigint not null references orders,
      sku      bigint not null check (sku > 0),
      count    bigint not null check (count between 1 and 4294967295),
      primary key (order_id, sku)
    )
    """,
    # No check that reserved <= total: one seeded row breaks it, and is simply not available.
    """
    create table stocks (
      sku      bigint primary key check (sku > 0),
      total    bigint not null check (total >= 0),
      reserved bigint not null check (reserved >= 0)
    ) with (fillfactor = 50)
    """,
    """
    create table idempotency_keys (
      scope       text        not null check (scope in ('user', 'order')),
      owner_id    bigint      not null,
      key         text        not null,
      fingerprint bytea       not null,
      order_id    bigint      not null references orders,
      short_skus  bigint[]    not null,
      created_at  timestamptz not null default clock_timestamp(),
      primary key (scope, owner_id, key)
    )
    """,
)

GRANTS = (
    "select, insert, update on orders",
    "select, insert on order_items",
    "select, update on stocks",
    "select, insert on idempotency_keys",
)


def upgrade() -> None:
    """Create the tables and let the application read and write them, and no more."""
    connection = op.get_bind()
    role = connection.dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)
    for grant in GRANTS:
        connection.exec_driver_sql(f"grant {grant} to {role}")
