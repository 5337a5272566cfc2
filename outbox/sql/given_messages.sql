-- The relation `outbox_message` made of append's parameters, one array a column; precedes insert_rows.sql.
with outbox_message as (
  select event_id, topic, key, version, type, occurred_at, headers::jsonb as headers, payload, place
  from unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::timestamptz[], $7::text[], $8::bytea[])
    with ordinality as given (event_id, topic, key, version, type, occurred_at, headers, payload, place)
)
