-- Keeps the first answer to a key, in the transaction of the change it is about.
insert into idempotency_keys (scope, owner_id, key, fingerprint, order_id, short_skus) values ($1, $2, $3, $4, $5, $6)
