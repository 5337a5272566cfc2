"""Answers to idempotency keys are deleted a day after, and ids of orders are drawn before the orders are written."""

from alembic import context, op

revision = "0004"
down_revision = "0003"

STATEMENTS = (
    # Finds the oldest; new entries come at its right edge only.
    "create index idempotency_keys_by_age on idempotency_keys (created_at)",
    # A day's table loses a few rows a second: its dead ones are taken away before they are a fiftieth of it.
    """
    alter table idempotency_keys set (autovacuum_vacuum_scale_factor = 0.02)
    """,
)

GRANTS = ("delete on idempotency_keys", "usage on sequence orders_order_id_seq")


def upgrade() -> None:
    """Let the application delete answers, and draw ids."""
    connection = op.get_bind()
    role = connection.dialect.identifier_preparer.quote(context.config.attributes["app_role"])
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement)
    for grant in GRANTS:
        connection.exec_driver_sql(f"grant {grant} to {role}")
