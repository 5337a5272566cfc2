-- Marks a checkout done and takes out of the cart exactly what was ordered; done before, it changes nothing. What was added
-- meanwhile stays, also of a sku that was taken out and put in again: that row carries no mark. The cart's rows must be
-- locked: a count that changed meanwhile would be seen by neither half.
with done as (
  update checkouts set state = 'done', order_id = $2, ended_at = clock_timestamp()
  where checkout_id = $1 and state = 'open'
  returning user_id
), emptied as (
  delete from cart_items as item using done
  where item.user_id = done.user_id and item.ordered > 0 and item.count <= item.ordered
)
update cart_items as item set count = item.count - item.ordered, ordered = 0 from done
where item.user_id = done.user_id and item.ordered > 0 and item.count > item.ordered
