-- The checkout to go on with: the one this key led to, if it is done, before the one that is open; a refused one is over.
select checkout_id, user_id, skus, counts, state, order_id from (
  select checkouts.*, 1 as place from checkout_keys join checkouts using (checkout_id)
  where checkout_keys.user_id = $1 and checkout_keys.key = $2 and checkouts.state = 'done'
  union all
  select checkouts.*, 2 from checkouts where user_id = $1 and state = 'open'
) as known
order by place
limit 1
