"""Run by Alembic."""

from chassis.migrations import migrate

migrate("notification")
