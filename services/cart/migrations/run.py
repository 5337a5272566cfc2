"""Bring the schema to its newest version."""

from pathlib import Path

from chassis import migrations

FOLDER = Path(__file__).parent


def upgrade(*, owner_url: str, app_role: str) -> None:
    """Run every migration that is missing: see `chassis.migrations.upgrade`."""
    migrations.upgrade(FOLDER, owner_url=owner_url, app_role=app_role)
