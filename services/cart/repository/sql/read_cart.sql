-- What lies in a cart, by sku.
select sku, count from cart_items where user_id = $1 order by sku
