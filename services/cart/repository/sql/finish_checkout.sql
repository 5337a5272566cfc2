-- Marks a checkout done and takes out of the cart exactly what was ordered; done before, it changes nothing. What was added
-- meanwhile stays. The cart's rows must be locked: a count that changed meanwhile would be seen by neither half.
with done as (
  update checkouts set state = 'done', order_id = $2, ended_at = clock_timestamp()
  where checkout_id = $1 and state = 'open'
  returning user_id, skus, counts
), ordered as (
  select done.user_id, item.sku, item.count from done, unnest(done.skus, done.counts) as item (sku, count)
), emptied as (
  delete from cart_items as item using ordered
  where item.user_id = ordered.user_id and item.sku = ordered.sku and item.count <= ordered.count
)
update cart_items as item set count = item.count - ordered.count from ordered
where item.user_id = ordered.user_id and item.sku = ordered.sku and item.count > ordered.count
