-- The newest $2 orders below an id, with items, as committed at one moment.
select page.*, items.skus, items.counts
from (
  select order_id, user_id, status, created_at from orders
  where order_id < $1
  order by order_id desc
  limit $2
) as page, lateral (
  select array_agg(sku order by sku) as skus, array_agg(count order by sku) as counts
  from order_items where order_items.order_id = page.order_id
) as items
order by page.order_id desc
