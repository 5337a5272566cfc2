"""Does the live table still have the shape the code relies on? Every finding comes with its cure; changes nothing."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from outbox.operations.findings import Finding, error, warning
from outbox.operations.layout import read_layout
from outbox.schema import PARTITIONS_AHEAD
from outbox.statements import statement

if TYPE_CHECKING:
    import asyncpg

    Connection = asyncpg.Connection[Any]

_VERSION_MIN = 140_000
_COLUMNS = {
    "seq": ("bigint", True, "nextval('outbox_seq'::regclass)"),
    "xid": ("xid8", True, "pg_current_xact_id()"),
    "event_id": ("uuid", True, None),
    "topic": ("text", True, None),
    "key": ("text", True, None),
    "version": ("bigint", False, None),
    "type": ("text", True, None),
    "occurred_at": ("timestamp with time zone", True, "clock_timestamp()"),
    "headers": ("jsonb", False, None),
    "payload": ("bytea", True, None),
}
_INDEXES = {
    ("btree", "xid"): "create index outbox_xid on outbox (xid)",
    ("btree", "key"): "create index outbox_key on outbox (key)",
    ("brin", "seq"): "create index outbox_seq_brin on outbox using brin (seq) with (pages_per_range = 32)",
}
_INSTALL = "run the migration with outbox.install_sql(), or what `python -m outbox install-sql` prints"
_DOES_NOT_WAIT = frozenset({"off", "false", "no", "0", "local"})
"""Every way to write it in a role's settings."""

_RESET = "cursor-reset keep (after pg_upgrade) | now | all | from-seq --from-seq N"


async def check(connection: "Connection", *, writer_role: str | None = None, name: str = "kafka") -> list[Finding]:
    """Everything wrong with the table, its partitions, its cursor and its writers.

    Args:
        connection: the owner's.
        writer_role: a role that must be able to append; those with the right already are looked at anyway.
        name: the cursor.
    """
    findings = [finding async for finding in _columns(connection)]
    if findings and findings[0].subject == "table":
        return findings
    missing = [finding async for finding in _tables(connection)]
    if missing:
        return findings + missing
    for part in (_server, _insight, _indexes, _sequence, _persistence, _partitions):
        findings += [finding async for finding in part(connection)]
    findings += [finding async for finding in _cursor(connection, name)]
    findings += [finding async for finding in _writers(connection, writer_role)]
    return findings


async def _server(connection: "Connection") -> AsyncIterator[Finding]:
    number = int(await connection.fetchval("select current_setting('server_version_num')"))
    if number < _VERSION_MIN:
        yield error("server", f"version {number}; 14 is the oldest that detaches concurrently", "upgrade PostgreSQL")
    if await connection.fetchval("select pg_is_in_recovery()"):
        yield error("server", "it is a standby", "give the address of the primary")


async def _insight(connection: "Connection") -> AsyncIterator[Finding]:
    """Without it the age of the oldest open transaction is 0 for ever."""
    if not await connection.fetchval("select pg_has_role(current_user, 'pg_read_all_stats', 'usage')"):
        me = await connection.fetchval("select quote_ident(current_user)")
        fact = "does not see how long others' transactions are open: what they hold back is measured as 0"
        yield warning(f"role {me}", fact, f"grant pg_read_all_stats to {me}")
    owner = await connection.fetchval(
        "select quote_ident(pg_get_userbyid(relowner)) from pg_class"
        " where oid = to_regclass('outbox') and not pg_has_role(current_user, relowner, 'usage')"
    )
    if owner is not None:
        yield error("table", "its owner is another role: a relay of this one may not keep house", f"connect as {owner}")


async def _tables(connection: "Connection") -> AsyncIterator[Finding]:
    for name in ("outbox_cursor", "outbox_void", "outbox_audit"):
        if await connection.fetchval("select to_regclass($1) is null", name):
            yield error(f"table {name}", "missing", _INSTALL)


async def _columns(connection: "Connection") -> AsyncIterator[Finding]:
    found = {row["name"]: row for row in await connection.fetch(statement("check_columns"))}
    if not found:
        yield error("table", "there is no table outbox on the search path", _INSTALL)
        return
    for name, (kind, required, preset) in _COLUMNS.items():
        column = found.get(name)
        if column is None:
            yield error(f"column {name}", "missing", _INSTALL)
        elif (column["type"], column["required"], column["preset"]) != (kind, required, preset):
            is_ = f"{column['type']}, not null {column['required']}, default {column['preset']}"
            yield error(f"column {name}", is_, f"make it {kind}, not null {required}, default {preset}")


async def _indexes(connection: "Connection") -> AsyncIterator[Finding]:
    found = {(row["method"], row["first_column"]) for row in await connection.fetch(statement("check_indexes"))}
    for wanted, cure in _INDEXES.items():
        if wanted not in found:
            yield error("index", f"no valid {wanted[0]} index over {wanted[1]}", cure)


async def _sequence(connection: "Connection") -> AsyncIterator[Finding]:
    cache = await connection.fetchval(statement("check_sequence"))
    if cache is None:
        yield error("sequence", "there is no sequence outbox_seq", _INSTALL)
    elif cache != 1:
        fact = f"CACHE {cache}: sessions number a key's versions out of order"
        yield error("sequence", fact, "alter sequence outbox_seq cache 1")


async def _persistence(connection: "Connection") -> AsyncIterator[Finding]:
    for row in await connection.fetch(statement("check_persistence")):
        yield error(f"partition {row['name']}", "unlogged: a crash empties it", f"alter table {row['name']} set logged")


async def _partitions(connection: "Connection") -> AsyncIterator[Finding]:
    layout = await read_layout(connection)
    current = int(await connection.fetchval("select pg_snapshot_xmax(pg_current_snapshot())::text"))
    for piece in layout.pending:
        fact = f"the detach of {piece.name} is pending: inserts into its range fail"
        yield error("partitions", fact, f"alter table outbox detach partition {piece.name} finalize, or let the relay")
    if not layout.holds(current):
        fact = f"the current xid {current} has no finite partition"
        yield error("partitions", fact, "after a restore: partitions rebuild; otherwise let the relay carve")
    elif layout.ahead(current) < PARTITIONS_AHEAD // 2:
        fact = f"only {layout.ahead(current)} partitions ahead of xid {current}"
        yield warning("partitions", fact, "let a relay run: it refills while it owns the cursor")
    if layout.near is None or layout.far is None:
        yield error("partitions", "an overflow piece is missing", "let a relay run: it puts it back")


async def _cursor(connection: "Connection", name: str) -> AsyncIterator[Finding]:
    stored = await connection.fetchrow(statement("read_cursor"), name)
    if stored is None:
        yield error(f"cursor {name}", "missing", f"{_INSTALL}, or correct the name")
        return
    if stored["state"] == "needs_reset":
        yield error(f"cursor {name}", "needs a reset", _RESET)
    if stored["state"] == "paused":
        yield warning(f"cursor {name}", "paused by an operator", "resume")
    history = await connection.fetchrow(statement("read_history"))
    if history is not None and history["system_id"] != stored["system_id"]:
        fact = f"belongs to database system {stored['system_id']}, this is {history['system_id']}"
        yield error(f"cursor {name}", fact, _RESET)


async def _writers(connection: "Connection", role: str | None) -> AsyncIterator[Finding]:
    rows = await connection.fetch(statement("check_writers"), role)
    if role is not None and role not in {row["name"] for row in rows}:
        yield error(f"role {role}", "does not exist", f"create role {role}")
    for row in rows:
        for finding in _writer(row):
            yield finding


def _writer(row: Any) -> list[Finding]:
    name, findings = f"role {row['name']}", []
    if not (row["may_insert"] and row["may_select"]):
        cure = f"grant select, insert on outbox to {row['name']}"
        findings.append(error(name, "may not insert into and read the outbox", cure))
    if not row["may_number"]:
        cure = f"grant usage on sequence outbox_seq to {row['name']}"
        findings.append(error(name, "may not use the sequence", cure))
    if row["may_change"]:
        fact = "may update, delete or truncate: what it takes away is never published"
        findings.append(error(name, fact, f"revoke update, delete, truncate on outbox from {row['name']}"))
    if row["synchronous_commit"].lower() in _DOES_NOT_WAIT:
        fact = f"commits with synchronous_commit = {row['synchronous_commit']}: an event may outlive its transaction"
        findings.append(warning(name, fact, row["commit_cure"]))
    return findings
