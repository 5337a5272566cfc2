-- Writes a new order and its items: status new, version 1. Both times are one reading of the database's clock.
-- Nobody else can know the order yet, so no lock is needed before its first event.
with added as (
  insert into orders (user_id, status, version, created_at, changed_at)
  select $1, 'new', 1, moment, moment from clock_timestamp() as moment
  returning order_id, created_at
), itemised as (
  insert into order_items (order_id, sku, count)
  select added.order_id, item.sku, item.count
  from added, unnest($2::bigint[], $3::bigint[]) as item (sku, count)
)
select order_id, created_at from added
