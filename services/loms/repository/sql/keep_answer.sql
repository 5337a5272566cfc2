-- Keeps the answer to an attempt that changed nothing.
insert into idempotency_keys (scope, owner_id, key, fingerprint, order_id, short_skus) values ($1, $2, $3, $4, $5, '{}')
