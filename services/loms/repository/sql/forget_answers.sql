-- Deletes the oldest answers beyond an age, at most $2 of them. Two replicas that meet over the same ones delete them once.
delete from idempotency_keys
where ctid = any (array(
  select ctid from idempotency_keys
  where created_at < statement_timestamp() - $1::interval
  order by created_at
  limit $2
))
