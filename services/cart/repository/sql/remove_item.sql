-- Takes a sku out of a cart, if it is there.
delete from cart_items where user_id = $1 and sku = $2
