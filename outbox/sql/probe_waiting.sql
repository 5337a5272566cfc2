-- What waits, looking at no more than $5 rows of either kind, in the cheapest order: $1 and $2 are xmax and xip of seen, $3
-- and $4 the target, if a backlog is walked, and how far. Where the walk is past every row looked at, at least one waits,
-- and the latest looked at stands for the oldest.
select greatest(count(*) filter (where waits), (count(*) >= $5)::int) as waiting,
       extract(epoch from clock_timestamp() - coalesce(
         min(occurred_at) filter (where waits), case when count(*) >= $5 then max(occurred_at) end
       ))::float8 as oldest_seconds
from (
  select occurred_at,
         not coalesce($3::text is not null and pg_visible_in_snapshot(xid, $3::text::pg_snapshot) and seq <= $4, false) as waits
  from (
    (select seq, xid, occurred_at from outbox where xid >= $1::text::xid8 limit $5)
    union all
    (select seq, xid, occurred_at from outbox where xid = any($2::text[]::xid8[]) limit $5)
  ) as unseen
) as looked_at
