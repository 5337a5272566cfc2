, outbox_message as (
  select {event_id}::uuid as event_id, {topic}::text as topic, order_id::text as key, version, '{event_type}' as type,
         null::timestamptz as occurred_at, {headers}::text::jsonb as headers, {body}::bytea as payload, 1::bigint as place
  from touched
)
{insert_rows}
