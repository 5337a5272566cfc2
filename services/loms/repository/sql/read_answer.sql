-- Reads the first answer to a key, as committed.
select fingerprint, order_id, short_skus from idempotency_keys where scope = $1 and owner_id = $2 and key = $3
