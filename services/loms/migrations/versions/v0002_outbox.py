"""The outbox: the library's tables, owned by this database's owner."""

from alembic import context, op

from outbox import install_statements

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Install the tables of the library; the application may append and read."""
    connection = op.get_bind()
    for statement in install_statements(writer_role=context.config.attributes["app_role"]):
        connection.exec_driver_sql(statement)
