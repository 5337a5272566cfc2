"""The INSERT, for statements that change a row and announce it in one round trip.

Write a CTE named `outbox_message` that selects from your aggregate's `returning` (so that no sequence number is drawn
before the row is locked) and end the statement with `insert_rows()`:

    with touched as (
      update orders set version = version + 1 where order_id = $1 returning order_id, version
    ), outbox_message as (
      select $2::uuid as event_id, 'orders' as topic, order_id::text as key, version, 'order.paid' as type,
             null::timestamptz as occurred_at, $3::text::jsonb as headers, $4::bytea as payload, 1::bigint as place
      from touched
    )
    <insert_rows()>
"""

from outbox.statements import statement


def insert_rows() -> str:
    """`insert into outbox … select … from outbox_message order by version, place`: the very bytes append sends."""
    return statement("insert_rows")
