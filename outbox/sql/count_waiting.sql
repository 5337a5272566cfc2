-- The rows the cursor is not past, counting no further than $5, and the oldest of those counted. $1 and $2: xmax and xip of
-- seen; $3 and $4: the target, if a backlog is walked, and how far.
select count(*) as waiting, extract(epoch from clock_timestamp() - min(occurred_at))::float8 as oldest_seconds
from (
  select occurred_at
  from outbox
  where (xid >= $1::text::xid8 or xid = any($2::text[]::xid8[]))
    and not coalesce($3::text is not null and pg_visible_in_snapshot(xid, $3::text::pg_snapshot) and seq <= $4, false)
  limit $5
) as unsent
