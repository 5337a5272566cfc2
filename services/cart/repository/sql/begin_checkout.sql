-- Puts a checkout on record before LOMS is called. The unique index on open ones guards it once more.
insert into checkouts (checkout_id, user_id, skus, counts, state) values ($1, $2, $3, $4, 'open')
