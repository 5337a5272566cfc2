"""Bring the schema to its newest version."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import make_url

FOLDER = Path(__file__).parent


def upgrade(*, owner_url: str, app_role: str) -> None:
    """Run every migration that is missing, as the owner; `app_role` is granted what the application needs.

    Running it again changes nothing. Must be called outside an event loop.
    """
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["url"] = make_url(owner_url).set(drivername="postgresql+asyncpg")
    config.attributes["app_role"] = app_role
    command.upgrade(config, "head")
