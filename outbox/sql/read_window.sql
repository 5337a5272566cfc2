-- The rows between two snapshots with $4 < seq <= $5: seen has xmax $1 and xip $2, the target is $3. The set is frozen:
-- what is visible in the target never changes. The first row is the read itself, as in read_difference.
select null::bigint as seq, null::uuid as event_id, pg_current_snapshot()::text as topic, pg_backend_pid()::text as key,
       (select count(*) from outbox_void) as version, null as type, clock_timestamp() as occurred_at,
       null::jsonb as headers, null::bytea as payload
union all
(select seq, event_id, topic, key, version, type, occurred_at, headers, payload
 from outbox
 where xid >= $1::text::xid8 and xid < pg_snapshot_xmax($3::text::pg_snapshot)
   and pg_visible_in_snapshot(xid, $3::text::pg_snapshot)
   and seq > $4 and seq <= $5
 limit $6)
union all
(select seq, event_id, topic, key, version, type, occurred_at, headers, payload
 from outbox
 where xid = any($2::text[]::xid8[])
   and pg_visible_in_snapshot(xid, $3::text::pg_snapshot)
   and seq > $4 and seq <= $5
 limit $6)
order by seq nulls first
