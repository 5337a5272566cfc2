"""The bare floor of a drain: records made beforehand with the bytes of our relay's, sent in rounds of its batches.

Config: bootstrap, topic, partitions, first, rows.
"""

from datetime import UTC, datetime

from bench.events import EVENT_TYPE, HEADERS, ORDERS, order_of, payload
from bench.programs.parent import Config, Parent, run
from bench.programs.producing import Record, produce, started_producer
from outbox import TopicRule, uuid7
from outbox.murmur2 import partition_of
from outbox.publisher import Stamp
from outbox.records import Encoder
from outbox.tracing import Spans, tracer

_ROUND_ROWS = 5_000


async def main(config: Config, parent: Parent) -> None:
    """Make the records, be ready, send them all at the first word."""
    records = _records(config)
    producer = await started_producer(config["bootstrap"])
    parent.say("ready")
    await parent.word()
    for start in range(0, len(records), _ROUND_ROWS):
        await produce(producer, config["topic"], records[start : start + _ROUND_ROWS])
    await parent.word()
    await producer.stop()


def _records(config: Config) -> list[Record]:
    """As our relay would encode the rows of this drain."""
    encoder = Encoder({config["topic"]: TopicRule(config["topic"], versioned=True)}, "bench")
    stamp, spans = Stamp("7000000000000000000/1", 1, frozenset()), Spans(tracer(), _ROUND_ROWS)
    moment = datetime(2026, 11, 21, 8, tzinfo=UTC)
    records: list[Record] = []
    for number in range(config["first"], config["first"] + config["rows"]):
        order = str(order_of(number))
        version = 1 + (number - config["first"]) // ORDERS
        row = (number, uuid7(), config["topic"], order, version, EVENT_TYPE, moment, HEADERS, payload(number))
        key, value, headers = encoder.encode(row, stamp, spans)
        records.append((partition_of(order, config["partitions"]), key, value or b"", headers))
    return records


if __name__ == "__main__":
    run(main)
