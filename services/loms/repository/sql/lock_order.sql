-- Reads an order with its items and keeps the row from others until the transaction ends.
-- locked_at is read after the lock is held: a move waiting behind another is later than it.
with locked as materialized (
  select order_id, user_id, status, version, changed_at from orders where order_id = $1 for update
)
select locked.*, items.skus, items.counts, clock_timestamp() as locked_at
from locked, lateral (
  select array_agg(sku order by sku) as skus, array_agg(count order by sku) as counts
  from order_items where order_items.order_id = locked.order_id
) as items
