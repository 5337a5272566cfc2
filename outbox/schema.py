"""The tables: what a service's own migration runs.

The library owns the shape, the service owns the migration that puts it there. The statements run in one transaction;
the first reader starts before any transaction still open at that moment, so that nothing written meanwhile is missed.
"""

from importlib.resources import files

PARTITION_WIDTH_DEFAULT = 2**22
PARTITIONS_AHEAD = 16
NEAR_WIDTH = 2**33
XID_MAX = 2**64 - 1


def install_statements(
    *,
    writer_role: str,
    owner_role: str | None = None,
    cursor: str = "kafka",
    partition_width: int = PARTITION_WIDTH_DEFAULT,
) -> list[str]:
    """The statements of `install_sql`, one by one, for drivers that take only one at a time."""
    for name, role in (("writer_role", writer_role), ("owner_role", owner_role), ("cursor", cursor)):
        if role is not None and not role.strip():
            raise ValueError(f"{name} = {role!r}: must not be blank")
    values = {
        "writer_role": _identifier(writer_role),
        "cursor": _literal(cursor),
        "partition_width": str(_width(partition_width)),
        "partitions_ahead": str(PARTITIONS_AHEAD),
    }
    folder = files("outbox").joinpath("sql", "install")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    made = [folder.joinpath(name).read_text(encoding="utf-8").format_map(values).strip() for name in names]
    if owner_role is None:
        return made
    return [f"set role {_identifier(owner_role)};", *made, "reset role;"]


def install_sql(
    *,
    writer_role: str,
    owner_role: str | None = None,
    cursor: str = "kafka",
    partition_width: int = PARTITION_WIDTH_DEFAULT,
) -> str:
    """SQL that creates the sequence, the partitioned table, its overflow pieces, the cursor, voids, audit and grants.

    Run it once, in one transaction, as the role that will own the tables (the relay's), or as one that may become
    `owner_role`.

    Args:
        writer_role: the application's role: may insert and read, no more.
        owner_role: who owns the tables; the role that runs the SQL when None.
        cursor: the first reader's name.
        partition_width: xids per partition, at least 1; a million or more where it is used in earnest.

    Raises:
        ValueError: naming the argument, its value and its bound.
    """
    statements = install_statements(
        writer_role=writer_role, owner_role=owner_role, cursor=cursor, partition_width=partition_width
    )
    return "\n\n".join(statements) + "\n"


def partitions_sql(partition_width: int = PARTITION_WIDTH_DEFAULT) -> str:
    """The statement that gives an outbox without partitions its ranges, near and far, around the current xid."""
    text = files("outbox").joinpath("sql", "install", "09_partitions.sql").read_text(encoding="utf-8")
    return text.format(partition_width=_width(partition_width), partitions_ahead=PARTITIONS_AHEAD)


def _width(partition_width: int) -> int:
    if not 1 <= partition_width <= NEAR_WIDTH:
        raise ValueError(f"partition_width = {partition_width!r}: must be from 1 to {NEAR_WIDTH}")
    return partition_width


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
