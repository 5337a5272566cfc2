-- Takes everything out of a cart.
delete from cart_items where user_id = $1
