"""The tables of this service, step by step (Alembic); the inbox's tables come from the inbox's own statements."""
