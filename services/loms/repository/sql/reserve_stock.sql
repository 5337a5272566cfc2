-- Reserves all items or none, and says which skus are short. Rows are locked in sku order, so two orders never wait for
-- each other in a circle; what is available is judged on the locked rows, so two orders never take the same piece.
-- The clock is read when every row is locked.
with wanted as (
  select sku, count from unnest($1::bigint[], $2::bigint[]) as item (sku, count)
), locked as materialized (
  select sku, total - reserved as available from stocks where sku = any ($1::bigint[]) order by sku for update
), short as materialized (
  select wanted.sku from wanted left join locked using (sku)
  where locked.sku is null or locked.available < wanted.count
), taken as (
  update stocks set reserved = stocks.reserved + wanted.count
  from wanted
  where stocks.sku = wanted.sku and not exists (select from short)
)
select coalesce(array_agg(sku order by sku), '{}') as short, clock_timestamp() as at from short
