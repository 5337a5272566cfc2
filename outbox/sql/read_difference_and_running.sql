-- As read_difference, for a snapshot that knew running transactions: $3 holds its xip.
select null::bigint as seq, null::uuid as event_id, pg_current_snapshot()::text as topic, pg_backend_pid()::text as key,
       (select count(*) from outbox_void) as version, null as type, clock_timestamp() as occurred_at,
       null::jsonb as headers, null::bytea as payload
union all
(select seq, event_id, topic, key, version, type, occurred_at, headers, payload
 from outbox
 where xid >= $1::text::xid8 and xid < pg_snapshot_xmax(pg_current_snapshot())
   and xid < ($1::text::bigint + 1048576)::text::xid8
   and pg_visible_in_snapshot(xid, pg_current_snapshot())
 limit $2)
union all
(select seq, event_id, topic, key, version, type, occurred_at, headers, payload
 from outbox
 where xid = any($3::text[]::xid8[])
   and pg_visible_in_snapshot(xid, pg_current_snapshot())
 limit $2)
order by seq nulls first
