"""The statements of the stand, by name; the writers' end with what each contestant's outbox needs."""

import functools
from pathlib import Path

from bench.events import EVENT_TYPE, ORDERS, payload_format
from outbox.fragments import insert_rows

_FOLDER = Path(__file__).parent / "sql"
_OUTBOXES = ("ours", "classic", "floor", "tuned", "default")


@functools.cache
def statement(name: str) -> str:
    """The SQL of `sql/<name>.sql`."""
    return (_FOLDER / f"{name}.sql").read_text(encoding="utf-8")


@functools.cache
def writer_statement(outbox: str) -> str:
    """One transaction of the load: $1 order, $2 event id, $3 topic, $4 headers as JSON text, $5 body."""
    return _joined(outbox, order="$1", event_id="$2", topic="$3", headers="$4", body="$5")


def fill_procedure(outbox: str) -> str:
    """`call fill_<outbox>(first, rows, topic, headers)`: as many transactions of one event each, without a client."""
    body = "convert_to(format(payload_format, number, order_number), 'UTF8')"
    written = _joined(
        outbox, order="order_number", event_id="uuidv7()", topic="topic_name", headers="headers_text", body=body
    )
    return statement("fill").format(outbox=outbox, orders=ORDERS, payload_format=payload_format(), statement=written)


def schema() -> str:
    """Everything but our outbox, which brings its own."""
    fills = "\n".join(fill_procedure(outbox) for outbox in _OUTBOXES)
    return f"{statement('schema')}\n{fills}"


def _joined(outbox: str, **values: str) -> str:
    kind = "debezium" if outbox in {"tuned", "default"} else outbox
    written = statement(f"write_{kind}").format(
        table=f"outbox_{outbox}", event_type=EVENT_TYPE, insert_rows=insert_rows(), **values
    )
    return f"{statement('touch_order').format(**values)}{written}"
