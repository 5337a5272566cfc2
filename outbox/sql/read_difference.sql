-- What became visible since the snapshot whose xmax is $1 and whose xip is empty, at most $2 rows, in order of seq.
-- The first row is the read itself: the new snapshot (topic), the backend (key), the number of voids (version), the
-- server's clock (occurred_at). Fewer than $2 rows are all of it, if the new xmax is no more than 2^20 ids further: that
-- bound lets every partition ahead be left out, when planned and when executed, which is half of a poll's cost.
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
order by seq nulls first
