"""The tables of the inbox: the service runs the statements in its own migration, the library owns their shape."""

from __future__ import annotations

from inbox.statements import statement

_TABLES = ("partition", "watermark", "watermark_parked", "parked", "seen", "seen_default", "audit", "rotate_seen")
_GRANTS = ("grant_tables", "grant_audit", "revoke_rotate_seen", "grant_rotate_seen")


def install_statements(*, app_role: str) -> tuple[str, ...]:
    """Return the statements that make the tables, in order, for a migration run as the owner of the tables.

    `app_role` is the role the consumer runs as: it reads and writes rows, and runs no DDL.
    """
    tables = tuple(statement(f"schema/{name}") for name in _TABLES)
    grants = tuple(statement(f"schema/{name}").replace("app_role", _quoted(app_role)) for name in _GRANTS)
    return tables + grants


def install_sql(*, app_role: str) -> str:
    """Return the same as one script."""
    return "\n".join(install_statements(app_role=app_role))


def _quoted(role: str) -> str:
    if not role or "\x00" in role:
        raise ValueError(f"not the name of a role: {role!r}")
    return '"' + role.replace('"', '""') + '"'
