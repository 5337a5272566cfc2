-- Reads an order with its items as committed; locks nothing.
select orders.order_id, orders.user_id, orders.status, orders.version, orders.changed_at,
       items.skus, items.counts, clock_timestamp() as locked_at
from orders, lateral (
  select array_agg(sku order by sku) as skus, array_agg(count order by sku) as counts
  from order_items where order_items.order_id = orders.order_id
) as items
where orders.order_id = $1
