-- Moves an order from exactly the version before: its row, its stock, its event and the answer to its key, or nothing.
-- The order's row is locked first, then its stock rows in sku order: two moves never wait for each other in a circle. With
-- the lock its version is judged anew, so of two moves from one version the second finds nothing. The event is numbered
-- from the row that was written, so never before the lock. A key that another transaction holds is not waited for.
-- It says how far it came: free (the key), held (the order has that version), moved (and every stock row is there).
with attempt as materialized (
  select $13::text is null or pg_try_advisory_xact_lock(hashtextextended($13, 0)) as free
), held as materialized (
  select orders.order_id from orders, attempt
  where attempt.free and orders.order_id = $1 and orders.version = $2 - 1
  for update of orders
), stocked as materialized (
  select stocks.sku, item.count
  from held, unnest($5::bigint[], $6::bigint[]) as item (sku, count) join stocks using (sku)
  order by stocks.sku
  for update of stocks
), complete as materialized (
  select order_id from held where (select count(*) from stocked) = cardinality($5::bigint[])
), given as (
  update stocks set reserved = stocks.reserved - stocked.count, total = stocks.total - $7 * stocked.count
  from stocked, complete where stocks.sku = stocked.sku
), moved as (
  update orders set status = $3, version = $2, changed_at = $4
  from complete where orders.order_id = complete.order_id
  returning orders.order_id
), kept as (
  insert into idempotency_keys (scope, owner_id, key, fingerprint, order_id, short_skus)
  select 'order', $14::bigint, $15, $16::bytea, order_id, '{}' from moved where $13 is not null
), outbox_message as (
  select $9::uuid as event_id, $8::text as topic, order_id::text as key, $2::bigint as version, $10::text as type,
         $4::timestamptz as occurred_at, $11::text::jsonb as headers, $12::bytea as payload, 1::bigint as place
  from moved
), appended as (
  {insert_rows}
)
select (select free from attempt) as free, exists (select from held) as held, exists (select from moved) as moved
