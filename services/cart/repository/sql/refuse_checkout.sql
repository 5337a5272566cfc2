-- Ends an open checkout without an order; the cart stays.
update checkouts set state = 'refused', ended_at = clock_timestamp() where checkout_id = $1 and state = 'open'
