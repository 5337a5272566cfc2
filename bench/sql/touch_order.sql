-- Takes the next version of an order under its row's lock, as every change of an order does.
with touched as (
  update orders set version = version + 1 where order_id = {order}::bigint returning order_id, version
)
