-- Puts a checkout on record before LOMS is called, and marks in the cart what it orders; marks of a refused one are replaced.
-- The cart's rows must be locked. The unique index on open checkouts guards it once more.
with marked as (
  update cart_items set ordered = count where user_id = $2 and sku = any ($3::bigint[])
)
insert into checkouts (checkout_id, user_id, skus, counts, state) values ($1, $2, $3, $4, 'open')
