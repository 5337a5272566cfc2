-- What lies in a cart, kept until the end of the transaction: a checkout that ends now is waited for, and what it took out is
-- no longer seen.
select sku, count from cart_items where user_id = $1 order by sku for update
