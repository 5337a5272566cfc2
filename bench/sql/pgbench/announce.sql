, outbox_message as (
  select uuidv7() as event_id, 'bench-orders' as topic, order_id::text as key, change.version,
         change.type, null::timestamptz as occurred_at, :headers::text::jsonb as headers,
         convert_to(:body::text, 'UTF8') as payload, 1::bigint as place
  from added, (values (1::bigint, 'order.new'), (2, 'order.awaiting_payment')) as change (version, type)
)
{insert_rows}
