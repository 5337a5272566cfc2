-- One order of two items, reserved and written in one statement that is its own transaction.
\set first_sku random(1, {skus} - 1)
\set second_sku random(:first_sku + 1, {skus})
\set user_id random(1, 100000)
with locked as materialized (
  select sku, total - reserved as available from shop_stocks
  where sku in (:first_sku, :second_sku) order by sku for update
), taken as (
  update shop_stocks set reserved = reserved + 1 where sku in (select sku from locked where available > 0)
), added as (
  insert into shop_orders (user_id, status, version, created_at, changed_at)
  values (:user_id, 'awaiting payment', 2, clock_timestamp(), clock_timestamp())
  returning order_id
), itemised as (
  insert into shop_order_items (order_id, sku, count)
  select added.order_id, locked.sku, 1 from added, locked
){ending};
