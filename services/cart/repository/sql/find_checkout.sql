-- The checkout to go on with: what the key led to before what is open; a refused one is over.
select checkout_id, user_id, skus, counts, state, order_id
from checkouts left join checkout_keys using (user_id, checkout_id)
where user_id = $1 and ((key = $2 and state = 'done') or state = 'open')
order by state = 'open'
limit 1
