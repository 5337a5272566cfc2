-- For the checker, which looks up the orders of a window.
create index on audit.orders (order_id)
