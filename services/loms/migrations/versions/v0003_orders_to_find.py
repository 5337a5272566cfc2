"""Indexes to find orders by: those unpaid for long, those of a user, those in a status."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    # The expirer's: it holds what awaits payment and nothing else, so a look at it costs the same in any table.
    "create index orders_awaiting_payment on orders (changed_at) where status = 'awaiting payment'",
    # For pages of orders, newest first, from any order on.
    "create index orders_of_user on orders (user_id, order_id)",
    "create index orders_in_status on orders (status, order_id)",
)


def upgrade() -> None:
    """Create the indexes. Writers wait meanwhile: about a second for a million orders."""
    connection = op.get_bind()
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)
