-- The newest orders of some users (before an order, if one is given), each with where it stands: one index probe an order.
select first.order_id, last.status, first.items, last.moment
from notifications first
cross join lateral (
  select status, moment from notifications n where n.order_id = first.order_id order by version desc limit 1
) as last
where first.user_id = any($1::bigint[]) and first.version = 1 and ($2::bigint is null or first.order_id < $2)
order by first.order_id desc
limit $3
