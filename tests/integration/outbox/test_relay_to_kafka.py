"""From a commit to the log, through the real broker."""

from outbox import Relay, TopicRule
from tests.given import Database, MakeTopic, SharedKafka
from tests.outbox_given import Connection, a_message, commit, read_topic, running, versions_of

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


async def test_keys_arrive_in_order_in_the_partition_their_hash_says(
    outbox_database: Database, connection: Connection, kafka: SharedKafka, topic: MakeTopic
) -> None:
    orders = await topic("orders", partitions=2)
    relay = Relay(
        dsn=outbox_database.dsn, bootstrap_servers=kafka.bootstrap, topics=[TopicRule(orders, versioned=True)]
    )

    async with running(relay):
        for version in range(1, 6):
            await commit(connection, *[a_message(orders, key=key, version=version) for key in ("1", "2", "3", "42")])
        records = await read_topic(kafka.bootstrap, orders, until=lambda found: len(found) >= 20)

    for key in ("1", "2", "3", "42"):
        assert versions_of(records, key) == [1, 2, 3, 4, 5]
    partitions = {record.key: record.partition for record in records}
    assert partitions == {b"1": 1, b"2": 0, b"3": 1, b"42": 0}


async def test_a_record_says_everything_the_row_knew(
    outbox_database: Database, connection: Connection, kafka: SharedKafka, topic: MakeTopic
) -> None:
    orders = await topic("orders")
    rule = TopicRule(orders, versioned=True, source="loms", content_type="application/json")
    relay = Relay(dsn=outbox_database.dsn, bootstrap_servers=kafka.bootstrap, topics=[rule])
    given = {"traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01", "ce_userid": "7", "ce_itemcount": "3"}

    async with running(relay):
        await commit(connection, a_message(orders, headers=given, payload=b'{"order_id": 42}'))
        [record] = await read_topic(kafka.bootstrap, orders, until=lambda found: len(found) >= 1)

    at = "to_char(occurred_at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    [row] = await connection.fetch(f"select event_id, {at} as at from outbox")
    system_id = await connection.fetchval("select system_identifier::text from pg_control_system()")
    assert (record.key, record.value) == (b"42", b'{"order_id": 42}')
    headers = {name: value.decode() for name, value in record.headers}
    assert headers.pop("traceparent").split("-")[1] == TRACE_ID
    assert headers == {
        "ce_specversion": "1.0",
        "ce_id": str(row["event_id"]),
        "ce_source": "loms",
        "ce_type": "order.new",
        "ce_time": row["at"],
        "ce_subject": "42",
        "ce_sequence": "1",
        "ce_userid": "7",
        "ce_itemcount": "3",
        "content-type": "application/json",
        "outbox_seq": "1",
        "outbox_history": f"{system_id}/1",
        "outbox_epoch": "1",
    }
