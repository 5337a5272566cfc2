-- Finds orders that have been unpaid for $1 by the database's clock: the longest first, at most $2, none of $3. Locks
-- nothing: whether one is still overdue is decided when it is claimed. beyond_seconds is how far the oldest of all, those
-- of $3 included, is beyond its time. The statement's own time keeps the index usable; clock_timestamp() would not.
with overdue as (
  select order_id, changed_at from orders
  where status = 'awaiting payment' and changed_at <= statement_timestamp() - $1::interval
    and order_id <> all ($3::bigint[])
  order by changed_at
  limit $2
), oldest as (
  select min(changed_at) as changed_at from orders where status = 'awaiting payment'
)
select
  coalesce((select array_agg(order_id order by changed_at) from overdue), '{}') as order_ids,
  greatest(extract(epoch from statement_timestamp() - $1::interval - oldest.changed_at), 0)::float8 as beyond_seconds
from oldest
