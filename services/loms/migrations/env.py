"""Run by Alembic: the missing steps, then this version's functions."""

from chassis.migrations import migrate
from services.loms.repository.statements import functions

migrate("loms", afterwards=functions())
