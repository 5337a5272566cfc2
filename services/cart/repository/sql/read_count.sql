-- Reads how many pieces of a sku lie in a cart, 0 when there are none.
select coalesce(max(count), 0) from cart_items where user_id = $1 and sku = $2
