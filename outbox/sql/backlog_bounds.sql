-- Where the rows between two snapshots begin and end, and how many there are beyond seq $4.
select min(seq) as first_seq, max(seq) as last_seq, count(*) as row_count
from (
  select seq from outbox
  where xid >= $1::text::xid8 and xid < pg_snapshot_xmax($3::text::pg_snapshot)
    and pg_visible_in_snapshot(xid, $3::text::pg_snapshot) and seq > $4
  union all
  select seq from outbox
  where xid = any($2::text[]::xid8[])
    and pg_visible_in_snapshot(xid, $3::text::pg_snapshot) and seq > $4
) as waiting
