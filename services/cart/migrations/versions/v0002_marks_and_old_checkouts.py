"""What of a cart is being ordered, and the roads to checkouts that are old."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    # How many pieces of the row an open checkout orders: what it takes out, however the row changes meanwhile.
    "alter table cart_items add column ordered bigint not null default 0 check (ordered between 0 and count)",
    """
    update cart_items as item set ordered = least(item.count, open.count)
    from (select user_id, unnest(skus) as sku, unnest(counts) as count from checkouts where state = 'open') as open
    where item.user_id = open.user_id and item.sku = open.sku
    """,
    "create index checkouts_ended on checkouts (ended_at) where state <> 'open'",
    "create index checkout_keys_of_checkout on checkout_keys (checkout_id)",
)


def upgrade() -> None:
    """Add the mark, mark what is being ordered now, and index what ended."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)
