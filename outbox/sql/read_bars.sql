-- How far every reader has come: nothing at or beyond these may be dropped.
select pg_snapshot_xmax(seen)::text::bigint as seen_xmax,
       coalesce(pg_snapshot_xmax(target), pg_snapshot_xmax(seen))::text::bigint as target_xmax,
       array(select pg_snapshot_xip(seen)::text::bigint union select pg_snapshot_xip(target)::text::bigint) as running
from outbox_cursor
