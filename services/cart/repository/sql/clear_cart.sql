-- Takes everything out of a cart. Rows are locked by sku, as a checkout locks them: neither ever waits for the other in a ring.
with gone as (
  select user_id, sku from cart_items where user_id = $1 order by sku for update
)
delete from cart_items as item using gone where item.user_id = gone.user_id and item.sku = gone.sku
